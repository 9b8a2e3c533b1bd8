//! What can be known of rides, routes, users and payments.

use super::outcomes::EXPIRED;

/// Which of several events that tell something of an id counts: the earliest, as for a user's home. Offsets alone would
/// not tell it where an id's events lie in several partitions, because there are more of them than there were.
const EARLIEST: &str = "(event_timestamp, kafka_topic, kafka_offset)";

/// What is known of some ids; of several events that tell it, the earliest counts.
pub(super) fn source(database: &str, kind: &str, ids: &str) -> String {
    let first = |column: &str| format!("argMin({column}, {EARLIEST})");
    format!(
        "(SELECT id, {} AS route_id, {} AS state, {} AS city, {} AS payment_method, true AS known \
         FROM {database}.region_sources WHERE kind = '{kind}' AND id IN ({ids}) GROUP BY id)",
        first("route_id"),
        first("toString(state)"),
        first("toString(city)"),
        first("toString(payment_method)"),
    )
}

/// The rides of which a `booking.created` is known.
pub(super) fn known_rides(database: &str, facts: &str) -> String {
    source(database, "ride", &format!("SELECT booking_id FROM {facts}"))
}

/// The rides that payments ask for, those that are lost too.
///
/// A payment names no route. So if nobody has seen the ride's `booking.created` when the patience is over, another
/// event of its booking tells the route: such a ride is not `known`, but has one.
pub(super) fn rides_of_payments(database: &str, payments: &str) -> String {
    let known = known_rides(database, payments);
    // one value, which the server finds once, however often a statement names it
    let named = format!(
        "(SELECT groupArray((id, route)) FROM ({}))",
        routes_of_lost_rides(database, payments)
    );
    format!(
        "(SELECT id, route_id, state, city, known FROM {known} \
         UNION ALL SELECT lost.1, lost.2, '', '', false FROM (SELECT arrayJoin({named}) AS lost))"
    )
}

/// The route that the earliest of a lost ride's events names. Those are found by reading all of two tables, hence only
/// if there is a lost ride.
fn routes_of_lost_rides(database: &str, payments: &str) -> String {
    let lost = lost_rides(database, payments);
    let events = ["booking_events", "trip_events"].map(|table| {
        format!(
            "SELECT booking_id, route_id, event_timestamp FROM {database}.{table} \
             WHERE (SELECT count() > 0 FROM ({lost})) AND booking_id IN ({lost})"
        )
    });
    format!(
        "SELECT booking_id AS id, argMin(route_id, (event_timestamp, toString(route_id))) AS route FROM ({}) GROUP BY id",
        events.join(" UNION ALL ")
    )
}

/// The bookings of payments whose patience is over, of which no `booking.created` is known.
fn lost_rides(database: &str, payments: &str) -> String {
    let expired = format!("SELECT f.booking_id FROM {payments} AS f WHERE {EXPIRED}");
    format!(
        "{expired} AND f.booking_id NOT IN \
             (SELECT id FROM {database}.region_sources WHERE kind = 'ride' AND id IN ({expired}))"
    )
}
