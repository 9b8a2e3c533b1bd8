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
mod pin;

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc, serde::ts_milliseconds};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use shared_schema::EventType;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::{
    events::{CellEvent, EventPage, EventRow, assemble, query},
    pin::{Pin, settled_through},
};
use crate::{
    funnel::Reached,
    people::REPEATABLE,
    region::RegionFilter,
    selection::Selection,
    time::{DateRange, Kept, Span, TooOld},
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
        Kept::Events.check_since(self.from, self.zone, now)
    }

    /// How long after its answer its list is still the same: what it needs is stored for so long.
    #[must_use]
    pub fn lasts(&self) -> TimeDelta {
        match &self.what {
            What::Reached(reached) if reached.tells_roles() => REPEATABLE,
            _ => TimeDelta::MAX,
        }
    }

    /// The time that it is about; none if that holds nothing, as it does of no cell of an answer.
    #[must_use]
    pub fn date_range(&self) -> Option<DateRange> {
        DateRange::between(self.from, self.until, self.zone).ok()
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
}

/// A count of events of a type.
pub(crate) const fn counted(name: &'static str, event_type: EventType) -> Counted {
    Counted {
        name,
        what: What::Events(event_type),
    }
}

/// Writes a cell as a token, if it can.
type Seal = dyn Fn(&Cell) -> Option<String> + Send + Sync;

/// What an answer needs whose counts can be opened.
#[derive(Clone)]
pub struct Opening {
    /// Nothing else is in the answer.
    pub(crate) pin: Pin,
    seal: Arc<Seal>,
}

impl Opening {
    /// At this pin, with cells written by `seal`, which whoever serves them signs.
    pub fn new(pin: Pin, seal: impl Fn(&Cell) -> Option<String> + Send + Sync + 'static) -> Self {
        let seal = Arc::new(seal);
        Self { pin, seal }
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
        let sealed = counted.iter().filter_map(|counted| {
            let cell = Cell {
                what: counted.what.clone(),
                from: part.span.from,
                until: part.span.until,
                zone: self.range.zone(),
                region: part.region.clone(),
                only: part.only.clone(),
                pin: opening.pin.clone(),
            };
            Some((counted.name, (opening.seal)(&cell)?))
        });
        Some(Cells(sealed.collect()))
    }
}

#[cfg(test)]
mod tests;
