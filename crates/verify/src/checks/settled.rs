//! What settling decided, beside what it asked.

use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, PLACED},
};

/// Whom the facts of a domain ask for their region: the kind of source, and the column with its id.
const ASKED: [(Domain, &str, &str); 5] = [
    (Domain::User, "user", "user_id"),
    (Domain::Booking, "ride", "booking_id"),
    (Domain::Payment, "ride", "booking_id"),
    (Domain::Trip, "ride", "booking_id"),
    (Domain::Route, "route", "route_id"),
];

/// `settlements`: what a ride, a route, a registration or a payment tells is what the facts that ask it have got.
///
/// Only where it had been read when the fact was. What is read later may be too late: a fact does not wait for ever, and
/// its word stands. A ride without a region of its own leaves its facts to its route, and other rules.
pub(super) fn as_told(day: &Day) -> Comparison {
    let regions = ASKED.map(|(domain, kind, id)| {
        let (told, got) = (
            "(source.state, source.city)",
            "(toString(settlement.state), toString(settlement.city))",
        );
        asked(
            domain,
            "true",
            (kind, id),
            "source.state != ''",
            [told, got],
        )
    });
    let methods = asked(
        Domain::Payment,
        "payment_method IS NULL",
        ("payment", "payment_id"),
        "source.method != ''",
        [
            "(source.method, '')",
            "(toString(settlement.payment_method), '')",
        ],
    );
    let both = regions.into_iter().chain([methods]);
    let both = both.collect::<Vec<_>>().join(" UNION ALL ");
    let side = |value: &str| format!("SELECT key, {value} AS value, place FROM ({both})");
    day.comparison("settlements", side("told"), side("got"))
}

/// The settled facts of a domain whose source was there, with what it tells and what they got.
fn asked(
    domain: Domain,
    facts: &str,
    (kind, id): (&str, &str),
    tells: &str,
    [told, got]: [&str; 2],
) -> String {
    let events = domain.events_table();
    let facts = format!("{events} WHERE {OF_THE_DAY} AND {facts}");
    format!(
        "SELECT ({PLACE}, '{kind}') AS key, {told} AS told, {got} AS got, {PLACE} AS place
         FROM (SELECT {PLACED}, batch AS read_with, {id} AS asks FROM {facts}) AS fact
         INNER JOIN
         (
            SELECT * FROM settlements WHERE ({PLACED}) IN (SELECT {PLACED} FROM {facts})
         ) AS settlement USING ({PLACED})
         INNER JOIN
         (
            SELECT id, tupleElement(first, 1) AS state, tupleElement(first, 2) AS city, tupleElement(first, 3) AS method,
                tupleElement(first, 4) AS told_by,
                argMin((toString(region_sources.state), toString(region_sources.city), toString(payment_method), batch),
                    (event_timestamp, kafka_topic, kafka_offset)) AS first
            FROM region_sources WHERE kind = '{kind}' AND id IN (SELECT {id} FROM {facts}) GROUP BY id
         ) AS source ON source.id = fact.asks
         WHERE {tells} AND UUIDv7ToDateTime(source.told_by) <= UUIDv7ToDateTime(fact.read_with)"
    )
}
