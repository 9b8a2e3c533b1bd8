//! What facts can be settled by.

use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, PLACED},
};

/// What tells something of a ride, a route, a user or a payment: the domain, the types of its events, the kind, the
/// column with the id, and those with the route and the method.
const TELLING: [(Domain, &str, &str, [&str; 3]); 4] = [
    (
        Domain::Booking,
        "'booking.created'",
        "ride",
        ["booking_id", "route_id", "''"],
    ),
    (
        Domain::Route,
        "'route.created'",
        "route",
        ["route_id", "route_id", "''"],
    ),
    (
        Domain::User,
        "'user.registered'",
        "user",
        ["user_id", NO_ROUTE, "''"],
    ),
    (
        Domain::Payment,
        "'payment.initiated', 'payment.success'",
        "payment",
        [
            "payment_id",
            NO_ROUTE,
            "ifNull(toString(payment_method), '')",
        ],
    ),
];

const NO_ROUTE: &str = "toUUID('00000000-0000-0000-0000-000000000000')";

/// `region_sources`: every event that tells a region, a route or a method is there, with what it tells, and nothing else.
///
/// A region that settling gave to an event is not its own to tell. A range that was left out of its batch and returned
/// may be there twice, which changes nothing.
pub(super) fn telling(day: &Day) -> Comparison {
    let expected = TELLING.map(|(domain, types, kind, [id, route, method])| {
        let events = domain.events_table();
        let settled = format!(
            "({PLACED}) IN (SELECT {PLACED} FROM settlements \
             WHERE ({PLACED}) IN \
                 (SELECT {PLACED} FROM {events} WHERE {OF_THE_DAY} AND event_type IN ({types})))"
        );
        format!(
            "SELECT ('{kind}', {id}, toString(kafka_topic), kafka_offset) AS key,
                ({route}, if({settled}, ('', ''), (toString(state), toString(city))), {method}) AS value, {PLACE} AS place
             FROM {events} WHERE {OF_THE_DAY} AND event_type IN ({types})"
        )
    });
    let found = format!(
        "SELECT DISTINCT (toString(kind), id, toString(kafka_topic), kafka_offset) AS key,
            (route_id, (toString(state), toString(city)), toString(payment_method)) AS value
         FROM region_sources WHERE {OF_THE_DAY}"
    );
    day.comparison("region_sources", expected.join(" UNION ALL "), found)
}
