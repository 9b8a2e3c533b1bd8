//! Counts that can be opened: a [`Cell`] is a count of an answer as what was counted, so that its events can be listed.
//!
//! ```text
//! Selection { …, opening: Opening { pin, seal } } ──metric──▶ counts of stored events at the pin
//!                                                     └─────▶ Cells: name of the count ─▶ seal(Cell) ─▶ token
//!
//! token ─▶ Cell ──events──▶ the same stored events at the same pin, page by page
//! ```
//!
//! An answer whose counts can be opened reads the stored events alone, as far as they were durable and settled at its
//! [`Pin`], and of aggregates who registered before any event that can still come. That never changes afterwards, and number
//! and list have their conditions in common: the facts of a slice at a pin, the event type, the region, and what else a row
//! is about. So they agree whenever the list is asked for. A count beside them that cannot be opened, as that of users whose
//! positions may be gone, is the one of now.

mod events;
mod opening;
mod people;
mod reads;
mod trips;

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, TimeDelta, Utc, serde::ts_milliseconds};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use shared_schema::EventType;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use self::{
    events::length,
    opening::{Counted, Part, counted, counted_as},
    people::{events_naming, first_events},
};
pub use self::{
    events::{CellEvent, EventCursor, EventPage, EventRow, assemble, query},
    opening::Opening,
};
use crate::{
    funnel::Reached,
    people::REPEATABLE,
    region::RegionFilter,
    time::{DateRange, Reversed, Span, TooOld},
};
pub use crate::{
    people::Joined,
    pin::{Pin, settled_through},
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
    /// Users by their first registration. Each is listed with that, or with the first ride that is asked of.
    Joined(Box<Joined>),
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
    /// When it is.
    pub(crate) fn span(&self) -> Span {
        Span {
            from: self.from,
            until: self.until,
        }
    }

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
            What::Joined(_) => REPEATABLE,
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
pub struct Cells(BTreeMap<Cow<'static, str>, String>);

impl Cells {
    /// Adds others.
    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// What opens the count of this name, under another.
    pub(crate) fn renamed(mut self, name: &str, other: &'static str) -> Option<Self> {
        let token = self.0.remove(name)?;
        Some(Self([(other.into(), token)].into()))
    }
}

#[cfg(test)]
mod tests;
