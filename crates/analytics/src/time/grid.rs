use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{
    DateRange, Granularity,
    local::{day_start, local_date},
    range::on_clock,
};
use crate::pin::Pin;

/// The grain of the aggregates in seconds.
const SLOT_SECONDS: i64 = 15 * 60;
/// 2000-01-01: earlier events are dead-lettered.
const FIRST_STORED: i64 = 946_684_800;
/// 2100-01-01: no clock that is taken seriously is beyond, and the tables' times end in 2106.
const LAST_STORED: i64 = 4_102_444_800;

/// Instants from one up to, not including, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The instant after the last.
    pub until: DateTime<Utc>,
}

impl Span {
    /// The second in which it begins, or in which the first events can be if it begins before them.
    pub(crate) fn second(self) -> u64 {
        u64::try_from(clamped(self.from).timestamp()).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.from >= self.until
    }
}

/// A range cut at the grid of the aggregates: whole slots, and what is left at either end, which only the
/// stored events can answer; at a pin that is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid<'p> {
    /// Whole slots; may be empty.
    pub(crate) core: Span,
    /// From the start to the first whole slot, if the start is off the grid.
    pub(crate) head: Option<Span>,
    /// From the last whole slot to the end, if the end is off the grid.
    pub(crate) tail: Option<Span>,
    /// Only what was durable and settled then.
    pub(crate) pin: Option<&'p Pin>,
}

/// How long the events of a kind are kept for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Events of users, bookings, payments, trips and routes: 90 days.
    Events,
    /// Locations, and with them whatever counts every active user: 30 days.
    Locations,
}

/// One of the two bounds of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `start_date`.
    Start,
    /// `end_date`.
    End,
}

/// A bound lies between two slots of the aggregates, and the events there are no longer kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored events that an answer to the second needs are kept for {kept_days} days")]
pub struct BeyondRetention {
    /// Which bound.
    pub side: Side,
    /// How long the events are kept, in days.
    pub kept_days: i64,
    /// The nearest bound before it that can be served, on the local clock.
    pub earlier: String,
    /// The nearest bound after it that can be served, on the local clock.
    pub later: String,
}

/// A range begins before the stored events, which alone can answer it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored events that this answer needs are kept for {kept_days} days")]
pub struct TooOld {
    /// How long the events are kept, in days.
    pub kept_days: i64,
    /// The earliest start that can be served, on the local clock.
    pub earliest: String,
}

impl Kept {
    const fn days(self) -> i64 {
        match self {
            Self::Events => 90,
            Self::Locations => 30,
        }
    }

    /// The first instant of which they are kept for certain.
    #[must_use]
    pub fn since(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::days(self.days())
    }

    /// Checks that everything from the start of a range on is still stored.
    ///
    /// # Errors
    /// When it begins before that.
    pub fn check_start(self, range: &DateRange, now: DateTime<Utc>) -> Result<(), TooOld> {
        self.check_since(range.start(), range.zone(), now)
    }

    /// Checks that everything from an instant on is still stored.
    ///
    /// # Errors
    /// When it is before that.
    pub(crate) fn check_since(
        self,
        start: DateTime<Utc>,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<(), TooOld> {
        self.check_units_since(start, Granularity::Daily, zone, now)
    }

    /// The same of whole units, of which the first begins then.
    ///
    /// # Errors
    /// When that is before it.
    pub(crate) fn check_units_since(
        self,
        start: DateTime<Utc>,
        unit: Granularity,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<(), TooOld> {
        let since = self.since(now);
        if start >= since {
            return Ok(());
        }
        // from the next day on: what is kept for certain now may be gone when the answer has been read
        let next_day = day_start(zone, local_date(zone, since) + Days::new(1));
        Err(TooOld {
            kept_days: self.days(),
            earliest: on_clock(zone, unit.first_from(zone, next_day)),
        })
    }

    /// Checks that both ends of a range can be answered exactly.
    ///
    /// # Errors
    /// When one lies off the grid where events are no longer kept.
    pub fn check(self, range: &DateRange, now: DateTime<Utc>) -> Result<(), BeyondRetention> {
        let grid = Grid::of(range);
        self.check_slice(Side::Start, grid.head, range.zone(), now)?;
        self.check_slice(Side::End, grid.tail, range.zone(), now)
    }

    /// Checks that the end of a range can be answered exactly, wherever it begins.
    ///
    /// # Errors
    /// When it lies off the grid where events are no longer kept.
    pub fn check_end(self, range: &DateRange, now: DateTime<Utc>) -> Result<(), BeyondRetention> {
        let end = clamped(range.end());
        let tail = slice(floor(end), end);
        self.check_slice(Side::End, tail, range.zone(), now)
    }

    fn check_slice(
        self,
        side: Side,
        slice: Option<Span>,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<(), BeyondRetention> {
        let kept_from = self.since(now);
        match slice {
            Some(slice) if slice.from < kept_from => {
                let slot = floor(slice.from);
                // An end is written as the last instant that it includes.
                let shown = match side {
                    Side::Start => TimeDelta::zero(),
                    Side::End => TimeDelta::milliseconds(1),
                };
                let bound = |at| on_clock(zone, at - shown);
                Err(BeyondRetention {
                    side,
                    kept_days: self.days(),
                    earlier: bound(slot),
                    later: bound(slot + TimeDelta::seconds(SLOT_SECONDS)),
                })
            }
            _ => Ok(()),
        }
    }
}

impl<'p> Grid<'p> {
    pub(crate) fn of(range: &DateRange) -> Self {
        Self::between(range.start(), range.end())
    }

    /// Stored events alone, those of a pin.
    pub(crate) fn of_events(start: DateTime<Utc>, end: DateTime<Utc>, pin: &'p Pin) -> Self {
        let (start, end) = (clamped(start), clamped(end));
        Self {
            core: Span {
                from: start,
                until: start,
            },
            head: Some(Span {
                from: start,
                until: end,
            }),
            tail: None,
            pin: Some(pin),
        }
    }

    pub(crate) fn between(start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let (start, end) = (clamped(start), clamped(end));
        let core = Span {
            from: ceiling(start),
            until: floor(end),
        };
        if core.from > core.until {
            // Both bounds lie inside one slot.
            let nothing = Span {
                from: core.until,
                until: core.until,
            };
            return Self {
                core: nothing,
                head: Some(Span {
                    from: start,
                    until: end,
                }),
                tail: None,
                pin: None,
            };
        }
        Self {
            core,
            head: slice(start, core.from),
            tail: slice(core.until, end),
            pin: None,
        }
    }

    /// Whether slots are to be read: there are some, or else there is nothing to read at all.
    pub(crate) fn has_slots(&self) -> bool {
        !self.core.is_empty() || self.slices().next().is_none()
    }

    pub(crate) fn slices(&self) -> impl Iterator<Item = Span> {
        self.head.into_iter().chain(self.tail)
    }
}

fn slice(from: DateTime<Utc>, until: DateTime<Utc>) -> Option<Span> {
    Some(Span { from, until }).filter(|span| !span.is_empty())
}

/// The nearest instant at which there can be events.
pub(crate) fn clamped(at: DateTime<Utc>) -> DateTime<Utc> {
    let limit = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or(at);
    at.max(limit(FIRST_STORED)).min(limit(LAST_STORED))
}

fn floor(at: DateTime<Utc>) -> DateTime<Utc> {
    let second = at.timestamp().div_euclid(SLOT_SECONDS) * SLOT_SECONDS;
    DateTime::from_timestamp(second, 0).unwrap_or(at)
}

fn ceiling(at: DateTime<Utc>) -> DateTime<Utc> {
    let slot = floor(at);
    if slot == at {
        at
    } else {
        slot + TimeDelta::seconds(SLOT_SECONDS)
    }
}

#[cfg(test)]
mod tests;
