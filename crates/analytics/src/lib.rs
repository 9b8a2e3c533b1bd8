//! Definitions of metrics and analyses as SQL with typed results. Pure: nothing here looks at a clock, and what sends a
//! statement is given ([`Ask`]).
//!
//! ```text
//! Selection { range, region, series, … } ────metric────▶ Query { sql, parameters } ──Ask──▶ ClickHouse
//! Question  { …, steps, periods, … }       ──analysis──▶        │                              │
//!                                                                                               │
//!                         JSON ◀──Serialize── typed results ◀──assemble── typed rows ◀──────────┘
//! ```
//!
//! There is one module per metric of the API: [`users`], [`bookings`], [`payments`], [`trips`], [`drivers`],
//! [`routes`], [`realtime`]; and one per analysis: [`funnel`], [`cohort`], [`retention`], [`geographic`], [`trends`]. Each
//! holds the definition, its statements and its results. Its text is a file of its own, which [`definitions`] shows too.
//!
//! Beside them there are the events behind a count ([`cells`]), and the books of the pipeline: [`ledger`] and
//! [`dead_letters`].
//!
//! # How ranges are answered
//! Aggregates have a grain of 15 minutes, which every zone's days and hours fall on. A bound off that grid is
//! answered exactly from the stored events between it and the next slot, as long as those are kept ([`time::Kept`]).
//!
//! # How regions are answered
//! See [`region`]: the known regions have rows of their own, `unknown` is the total less those, so that regions add
//! up to the total. Of things that are counted once (users, drivers, days), `unknown` counts those in no known region.

mod activity;
mod ask;
pub mod bookings;
pub mod cells;
pub mod cohort;
mod cursor;
pub mod dead_letters;
pub mod definitions;
pub mod drivers;
pub mod funnel;
pub mod geographic;
pub mod ledger;
pub mod number;
pub mod payments;
mod people;
mod pin;
pub mod query;
pub mod realtime;
pub mod region;
pub mod retention;
pub mod routes;
mod rule;
pub mod selection;
pub mod series;
mod source;
pub mod time;
pub mod trends;
pub mod trips;
pub mod users;

pub use ask::{Ask, SETTINGS};
pub use cursor::{Cursor, LONGEST_TOPIC, NoCursor};
pub use query::{Query, Value};
pub use region::{OutOfScope, RegionFilter, UnknownRegion};
pub use rule::Rule;
pub use selection::Selection;

/// A count from a signed sum. What is taken away was added before, but a statement that runs while facts are being
/// settled may see the one before the other; then there is none.
fn count(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Arc,
    };

    use chrono::{DateTime, Utc};
    use shared_schema::{Domain, Subscriptions};

    pub(crate) use crate::query::tests::shown;
    use crate::{
        cells::Opening,
        pin::Pin,
        region::{RegionFilter, Unknown},
        selection::Selection,
        time::{Buckets, DateRange, Granularity},
    };

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn over(start: &str, end: &str, region: RegionFilter) -> Selection {
        let range = DateRange::between(at(start), at(end), chrono_tz::Africa::Lagos).unwrap();
        Selection {
            range,
            region,
            series: None,
            now: at("2024-03-01T00:00:00Z"),
            opening: None,
        }
    }

    /// January 2024, with a daily series if one is wanted.
    pub(crate) fn everywhere(series: bool) -> Selection {
        let january = over(
            "2024-01-01T00:00:00+01:00",
            "2024-02-01T00:00:00+01:00",
            RegionFilter::Everywhere,
        );
        let series = series.then(|| Buckets::of(&january.range, Granularity::Daily).unwrap());
        Selection { series, ..january }
    }

    /// What the six topics carry.
    pub(crate) fn carried() -> BTreeMap<String, BTreeSet<Domain>> {
        let topics = Subscriptions::default();
        let carried = topics
            .iter()
            .map(|source| (source.topic.clone(), [source.domain].into()));
        carried.collect()
    }

    /// What was durable in two topics.
    pub(crate) fn pin() -> Pin {
        let lanes = [
            ("openride.events.booking", 1, 70),
            ("openride.events.booking", 0, 8),
            ("openride.events.payment", 2, 9),
            ("openride.events.trip", 0, 0),
            ("openride.events.trip", -1, 5),
            ("openride.events.trip", i32::MAX, 5),
        ];
        Pin::new(
            lanes,
            carried(),
            1_706_745_600_123,
            at("2024-02-01T00:00:01Z"),
        )
    }

    /// The same selection with cells that are written as JSON.
    pub(crate) fn opened(selection: Selection) -> Selection {
        let opening = Opening::new(pin(), |cell| serde_json::to_string(cell).ok());
        Selection {
            opening: Some(Arc::new(opening)),
            ..selection
        }
    }

    /// The unknown region, both bounds off the grid.
    pub(crate) fn unknown_off_grid() -> Selection {
        over(
            "2024-01-01T00:07:00Z",
            "2024-01-01T12:01:00Z",
            RegionFilter::Remainder(Unknown::State),
        )
    }

    /// A city, the end off the grid.
    pub(crate) fn in_lagos_off_grid() -> Selection {
        let ikeja = RegionFilter::Within {
            state: Some("Lagos".to_owned()),
            city: Some("Ikeja".to_owned()),
        };
        over("2024-01-01T00:00:00Z", "2024-01-01T12:00:00.001Z", ikeja)
    }
}
