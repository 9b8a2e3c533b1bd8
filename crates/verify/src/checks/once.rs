//! One row for one event: typed events for raw ones, and one region for each.

use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, PLACED},
};

/// Every raw event has its typed event, once, and there is none beside.
pub(super) fn typed_events(day: &Day) -> Comparison {
    let value = "(event_id, toString(event_type), event_timestamp)";
    let kept = |domain: &&Domain| day.with_locations || **domain != Domain::Location;
    let typed: Vec<String> = Domain::ALL
        .iter()
        .filter(kept)
        .map(|domain| {
            format!(
                "SELECT {PLACE} AS key, {value} AS value FROM {} WHERE {OF_THE_DAY}",
                domain.events_table()
            )
        })
        .collect();
    let locations = if day.with_locations {
        ""
    } else {
        "AND event_type != 'driver.location.updated'"
    };
    let raw = format!(
        "SELECT {PLACE} AS key, {value} AS value, {PLACE} AS place FROM events_raw WHERE {OF_THE_DAY} {locations}"
    );
    day.comparison("typed events", raw, typed.join(" UNION ALL "))
}

/// Every event whose region is not its own waits for it, or has got it: never both, never twice.
pub(super) fn regions(day: &Day, domain: Domain) -> Comparison {
    let events = domain.events_table();
    // An event with a region that no settlement gave it brought the region along.
    let expected = format!(
        "SELECT {PLACE} AS key, 'one region' AS value, {PLACE} AS place FROM {events} WHERE {OF_THE_DAY} \
         AND NOT (region_settled AND ({PLACED}) NOT IN \
             (SELECT {PLACED} FROM settlements))"
    );
    let settled = format!(
        "SELECT {PLACE} AS key, 'one region' AS value FROM settlements \
         WHERE ({PLACED}) IN \
             (SELECT {PLACED} FROM {events} WHERE {OF_THE_DAY})"
    );
    let waiting = domain.waiting_table().map(|table| {
        format!("SELECT {PLACE} AS key, 'one region' AS value FROM {table} WHERE {OF_THE_DAY}")
    });
    let found: Vec<String> = waiting.into_iter().chain([settled]).collect();
    day.comparison(
        &format!("regions of {domain}s"),
        expected,
        found.join(" UNION ALL "),
    )
}
