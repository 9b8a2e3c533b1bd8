//! What is asked of a metric, and the facts of it that have no region yet.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    cells::Opening,
    pin::Pin,
    query::{Parameters, Query},
    region::RegionFilter,
    time::{Buckets, DateRange, Grid},
};
use shared_schema::Domain;

/// What is asked of a metric.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Which events count, by their `event_timestamp`.
    pub range: DateRange,
    /// Which regions count.
    pub region: RegionFilter,
    /// The points of the time series, if one is wanted.
    pub series: Option<Buckets>,
    /// The present: "up to now", and which point of a series is unfinished.
    pub now: DateTime<Utc>,
    /// Where counts are to be opened. What is made of events in the range is then made of the stored ones at its pin.
    pub opening: Option<Arc<Opening>>,
}

impl Selection {
    /// The range as slots of the aggregates and stretches of stored events; at a pin all of it is such a stretch.
    pub(crate) fn grid(&self) -> Grid<'_> {
        self.grid_between(self.range.start(), self.range.end())
    }

    /// The same of a time that belongs to it.
    pub(crate) fn grid_between(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Grid<'_> {
        match &self.opening {
            None => Grid::between(start, end),
            Some(opening) => Grid::of_events(start, end, &opening.pin),
        }
    }

    /// What was durable when the answer was made, where counts are to be opened.
    pub(crate) fn pin(&self) -> Option<&Pin> {
        self.opening.as_ref().map(|opening| &opening.pin)
    }

    /// Counts the facts of these domains in the range that no regional number holds yet, if a region is asked of.
    pub(crate) fn unsettled(&self, domains: &[Domain]) -> Option<Query> {
        let count = || unsettled(domains, self.range.start(), self.range.end());
        self.region.is_regional().then(count)
    }
}

/// Counts the facts of these domains between two instants that no regional number holds yet.
pub(crate) fn unsettled(domains: &[Domain], start: DateTime<Utc>, end: DateTime<Utc>) -> Query {
    unsettled_that("true", domains, start, end)
}

/// The same of those facts for which a condition holds.
pub(crate) fn unsettled_that(
    condition: &str,
    domains: &[Domain],
    start: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Query {
    let mut parameters = Parameters::default();
    let grid = Grid::between(start, end);
    let from = parameters.time("from", grid.head.map_or(grid.core.from, |head| head.from));
    let until = parameters.time(
        "until",
        grid.slices()
            .last()
            .map_or(grid.core.until, |last| last.until.max(grid.core.until)),
    );
    let counts: Vec<String> = domains
        .iter()
        .filter_map(|domain| domain.waiting_table())
        .map(|table| {
            format!(
                "SELECT count() AS facts FROM {table} WHERE event_timestamp >= {from} \
                 AND event_timestamp < {until} AND {condition}"
            )
        })
        .collect();
    parameters.into_query(format!(
        "SELECT sum(facts) FROM ({})",
        counts.join(" UNION ALL ")
    ))
}
