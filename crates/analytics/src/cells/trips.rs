use chrono::TimeDelta;
use shared_schema::Domain;

use super::Cell;
use crate::{
    query::Parameters,
    region::RegionFilter,
    source::{Slice, settled_facts},
    time::{Span, clamped},
};

/// What ended earlier than this before a start belongs to no trip that is under way.
const BEFORE: TimeDelta = TimeDelta::days(1);
/// No event is accepted that lies further ahead.
const AHEAD: TimeDelta = TimeDelta::days(2);

/// Each trip under way with its last start. All of its events tell that, wherever they are settled: as they are not settled
/// all at once, only together they know what became of it.
pub(super) fn active(cell: &Cell, of_settled: bool, parameters: &mut Parameters) -> String {
    let slice = Slice::head(Span {
        from: clamped(cell.from - BEFORE),
        until: clamped(cell.until + AHEAD),
    });
    let facts = settled_facts(Domain::Trip, slice.at(Some(&cell.pin)), parameters);
    let from = parameters.time("from", cell.from);
    let until = parameters.time("until", cell.until);
    let seen = if of_settled { "state != ''" } else { "true" };
    let only = cell.and_only(parameters);
    let there = match (&cell.region, cell.region.known()) {
        (RegionFilter::Everywhere, _) => "true".to_owned(),
        (_, Some(known)) => format!("max({known}) = 0"),
        (region, None) => format!("max({}) = 1", region.own(parameters)),
    };
    format!(
        "SELECT start.5 AS event_id, start.6 AS event_type, start.1 AS event_timestamp, trip_id AS entity, \
         start.7 AS state, start.8 AS city, start.2 AS kafka_topic, start.3 AS kafka_partition, start.4 AS kafka_offset\n\
         FROM\n\
         (\n\
         SELECT trip_id, maxIf(toNullable(event_timestamp), event_type = 'trip.started') AS started, \
         maxIf(toNullable(event_timestamp), event_type IN ('trip.completed', 'trip.cancelled')) AS ended, \
         maxIf((event_timestamp, toString(kafka_topic), kafka_partition, kafka_offset, event_id, toString(event_type), \
         toString(state), toString(city)), event_type = 'trip.started') AS start\n\
         FROM {facts}\n\
         WHERE {seen}{only}\n\
         GROUP BY trip_id\n\
         HAVING ifNull(started >= {from} AND started < {until}, false) AND ifNull(ended >= {until}, true) AND {there}\n\
         )"
    )
}
