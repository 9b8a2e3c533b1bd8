use super::Cell;
use crate::{
    activity::{Kind, Reading, moments},
    geographic::users::{self, CITY, STATE},
    query::Parameters,
    source::slices,
    time::{Grid, Span},
};

/// Each active user with the first event that names the user; of the unknown region, those that are in no known one.
pub(super) fn active(cell: &Cell, parameters: &mut Parameters) -> String {
    first_events(&events_naming(Kind::Any, cell.span(), cell, parameters))
}

/// What a list tells of the events in a span that name somebody, with the `person` and the `sign` that the region gives them.
pub(crate) fn events_naming(
    kind: Kind,
    span: Span,
    cell: &Cell,
    parameters: &mut Parameters,
) -> String {
    let columns = format!(
        "event_id, event_type, event_timestamp, state, city, kafka_topic, kafka_partition, kafka_offset, {} AS sign",
        cell.region.fact_sign()
    );
    let reading = Reading {
        kind,
        region: &cell.region,
        columns: &columns,
        with_regions: true,
        further: &cell.and_only(parameters),
    };
    let grid = Grid::of_events(span.from, span.until, &cell.pin);
    let rows = slices(&grid).flat_map(|slice| reading.of_events(slice, parameters));
    rows.collect::<Vec<_>>().join("\nUNION ALL\n")
}

/// Each `person` of events with the first, but nobody with one whose `sign` takes them away.
pub(crate) fn first_events(events: &str) -> String {
    format!(
        "SELECT first.5 AS event_id, first.6 AS event_type, first.1 AS event_timestamp, person AS entity, \
         first.7 AS state, first.8 AS city, first.2 AS kafka_topic, first.3 AS kafka_partition, first.4 AS kafka_offset\n\
         FROM\n\
         (\n\
         SELECT person, min((event_timestamp, toString(kafka_topic), kafka_partition, kafka_offset, event_id, \
         toString(event_type), toString(state), toString(city))) AS first\n\
         FROM\n\
         (\n\
         {events}\n\
         )\n\
         GROUP BY person\n\
         HAVING min(sign) = 1\n\
         )"
    )
}

/// Each user with the last event, which tells where the user is; of a place or the unknown region, those that it puts there.
pub(super) fn seen_last(cell: &Cell, parameters: &mut Parameters) -> String {
    let grid = Grid::of_events(cell.from, cell.until, &cell.pin);
    let event = ", event_id, toString(event_type) AS event_type, toString(kafka_topic) AS kafka_topic, \
                 kafka_partition, kafka_offset";
    let moments = moments(&grid, &cell.region, event, parameters);
    let order = ", kafka_topic, kafka_partition, kafka_offset, event_id, event_type";
    let place = cell.region.own(parameters) + &cell.and_only(parameters);
    format!(
        "SELECT last.8 AS event_id, last.9 AS event_type, fromUnixTimestamp64Milli(-last.1, 'UTC') AS event_timestamp, \
         person AS entity, {STATE} AS state, {CITY} AS city, last.5 AS kafka_topic, last.6 AS kafka_partition, \
         last.7 AS kafka_offset\n\
         FROM\n\
         (\n\
         {last}\n\
         )\n\
         WHERE {place}",
        last = users::seen_last(&moments, order)
    )
}
