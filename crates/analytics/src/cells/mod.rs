//! Counts that can be opened: a [`Cell`] is a count of an answer as what was counted, so that its events can be listed.
//!
//! ```text
//! Selection { …, opening: Opening { pin, seal } } ──metric──▶ counts of stored events at the pin
//!                                                     └─────▶ Cells: name of the count ─▶ seal(Cell) ─▶ token
//!
//! token ─▶ Cell ──events──▶ the same stored events at the same pin, page by page
//! ```
//!
//! An answer whose counts can be opened reads the stored events alone, no aggregate, as far as they were durable and
//! settled at its [`Pin`]. Both never change afterwards, and number and list have their conditions in common: the facts of
//! a slice at a pin, the event type, the region, and what else a row is about. So they agree whenever the list is asked for.

mod events;
mod people;
mod pin;
mod reads;
mod trips;

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc, serde::ts_milliseconds};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use shared_schema::{EventType, Subscriptions};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use self::events::length;
pub use self::{
    events::{CellEvent, EventCursor, EventPage, EventRow, assemble, query},
    pin::{Pin, settled_through},
};
use crate::{
    funnel::Reached,
    people::REPEATABLE,
    region::RegionFilter,
    selection::Selection,
    time::{DateRange, Reversed, Span, TooOld, last_days_start},
};

/// What was counted in a part of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What it counts.
    pub what: What,
    /// The first instant.
    #[serde(with = "ts_milliseconds")]
    pub from: DateTime<Utc>,
    /// The instant after the last.
    #[serde(with = "ts_milliseconds")]
    pub until: DateTime<Utc>,
    /// The zone that the answer was for.
    pub zone: Tz,
    /// In which regions they lie.
    #[serde(default, skip_serializing_if = "is_everywhere")]
    pub region: RegionFilter,
    /// What else they have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// What was durable and settled when they were counted.
    pub pin: Pin,
}

/// What a cell counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Events of a type.
    Events(EventType),
    /// Distinct drivers in events of trips. Each is listed with the first.
    DriversOfTrips,
    /// People who reached a step of a funnel whose first was taken in the time. Each is listed with the event that took it.
    Reached(Box<Reached>),
    /// Distinct users in any events. Each is listed with the first.
    ActiveUsers,
    /// The same, each listed with the last, which tells where the user is.
    UsersSeenLast,
    /// Distinct drivers in positions. Each is listed with the first.
    DriversOfLocations,
    /// Trips that started, and had not ended at the end. Each is listed with its start.
    ActiveTrips {
        /// Whether settled events alone tell what became of them, as for a caller who sees no others.
        of_settled: bool,
    },
}

/// What the events of a row of a list have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// The method of payment.
    Method(String),
    /// The driver.
    Driver(Uuid),
    /// The route.
    Route(Uuid),
    /// Where a user was seen last.
    Place {
        /// The state, or `unknown`.
        state: String,
        /// The city, or `unknown`.
        city: String,
    },
    /// That their producers' clocks were right.
    NoClockSkew,
}

fn is_everywhere(region: &RegionFilter) -> bool {
    !region.is_regional()
}

impl Cell {
    /// Checks that its events are still stored.
    ///
    /// # Errors
    /// When the first may be gone.
    pub fn check_kept(&self, now: DateTime<Utc>) -> Result<(), TooOld> {
        self.what.kept().check_since(self.from, self.zone, now)
    }

    /// How long after its answer its list is still the same: what it needs is stored for so long.
    #[must_use]
    pub fn lasts(&self) -> TimeDelta {
        match &self.what {
            What::Reached(reached) if reached.tells_roles() => REPEATABLE,
            _ => TimeDelta::MAX,
        }
    }

    /// The time that it is about.
    ///
    /// # Errors
    /// When that holds nothing, as it does of no cell of an answer.
    pub fn date_range(&self) -> Result<DateRange, Reversed> {
        DateRange::between(self.from, self.until, self.zone)
    }
}

/// What opens counts, by their names: each is to be sent as `cell` to `/v1/events`, which lists as many events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = BTreeMap<String, String>, example = json!({"bookings_created": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9…"}))]
pub struct Cells(BTreeMap<&'static str, String>);

impl Cells {
    /// What opens the count of this name, under another.
    pub(crate) fn renamed(mut self, name: &str, other: &'static str) -> Option<Self> {
        let token = self.0.remove(name)?;
        Some(Self([(other, token)].into()))
    }
}

/// A count that can be opened.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// The field that shows it.
    pub(crate) name: &'static str,
    /// What is counted.
    pub(crate) what: What,
    /// Over so many local days that end with a part, where it is not over the part.
    pub(crate) last_days: Option<u64>,
}

/// A count over the parts of a selection.
pub(crate) const fn counted_as(name: &'static str, what: What) -> Counted {
    Counted {
        name,
        what,
        last_days: None,
    }
}

/// A count of events of a type.
pub(crate) const fn counted(name: &'static str, event_type: EventType) -> Counted {
    counted_as(name, What::Events(event_type))
}

/// Writes a cell as a token, if it can.
type Seal = dyn Fn(&Cell) -> Option<String> + Send + Sync;

/// What an answer needs whose counts can be opened.
#[derive(Clone)]
pub struct Opening {
    /// Nothing else is in the answer.
    pub(crate) pin: Pin,
    topics: Arc<Subscriptions>,
    seal: Arc<Seal>,
}

impl Opening {
    /// At this pin, with cells written by `seal`, which whoever serves them signs. A cell holds of the pin only the topics
    /// that its list may read, so that its token is short.
    pub fn new(
        pin: Pin,
        topics: Arc<Subscriptions>,
        seal: impl Fn(&Cell) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let seal = Arc::new(seal);
        Self { pin, topics, seal }
    }

    /// A count of a part.
    pub(crate) fn cell(&self, counted: &Counted, part: &Part, zone: Tz) -> Cell {
        let Span { from, until } = part.span;
        let days = counted.last_days;
        Cell {
            what: counted.what.clone(),
            from: days.map_or(from, |days| last_days_start(zone, until, days)),
            until,
            zone,
            region: part.region.clone(),
            only: part.only.clone(),
            pin: self.pin.of(&counted.what.domains(), &self.topics),
        }
    }

    /// What opens these cells of an answer of now, by the names of their counts; nothing for one whose events may be gone.
    pub(crate) fn tokens<'c>(
        &self,
        cells: impl Iterator<Item = (&'static str, &'c Cell)>,
        now: DateTime<Utc>,
    ) -> Cells {
        let kept = cells.filter(|(_, cell)| cell.check_kept(now).is_ok());
        let tokens = kept.filter_map(|(name, cell)| Some((name, (self.seal)(cell)?)));
        Cells(tokens.collect())
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Opening");
        shown.field("pin", &self.pin).finish_non_exhaustive()
    }
}

/// Some of the events of a selection.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) span: Span,
    pub(crate) region: RegionFilter,
    pub(crate) only: Option<Only>,
}

impl Selection {
    /// All of its events.
    pub(crate) fn whole(&self) -> Part {
        self.part(Span {
            from: self.range.start(),
            until: self.range.end(),
        })
    }

    /// Those in a calendar unit.
    pub(crate) fn part(&self, unit: Span) -> Part {
        Part {
            span: Span {
                from: unit.from.max(self.range.start()),
                until: unit.until.min(self.range.end()),
            },
            region: self.region.clone(),
            only: None,
        }
    }

    /// What opens these counts of a part, where it was asked for.
    pub(crate) fn cells(&self, counted: &[Counted], part: &Part) -> Option<Cells> {
        let opening = self.opening.as_ref().filter(|_| !counted.is_empty())?;
        let zone = self.range.zone();
        let cells = counted
            .iter()
            .map(|counted| (counted.name, opening.cell(counted, part, zone)));
        let cells: Vec<_> = cells.collect();
        let cells = cells.iter().map(|(name, cell)| (*name, cell));
        Some(opening.tokens(cells, self.now))
    }
}

#[cfg(test)]
mod tests;
