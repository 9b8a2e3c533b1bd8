use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, SLOT, SLOTS_OF_THE_DAY, scoped},
};

/// `agg_bookings`
pub(super) fn slots(day: &Day) -> Comparison {
    let expected = format!(
        "SELECT (scope, {SLOT}, in_state, in_city) AS key,
            (countIf(event_type = 'booking.created'), countIf(event_type = 'booking.confirmed'),
             countIf(event_type = 'booking.cancelled'), countIf(event_type = 'booking.completed'),
             sum(if(event_type = 'booking.confirmed', toDecimal128(total_price, 2), toDecimal128(0, 2)))) AS value,
            min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::Booking, OF_THE_DAY)
    );
    let found = format!(
        "SELECT (toString(scope), slot, toString(state), toString(city)) AS key,
            (sum(created), sum(confirmed), sum(cancelled), sum(completed), sum(confirmed_value)) AS value
         FROM agg_bookings WHERE {SLOTS_OF_THE_DAY} GROUP BY key"
    );
    day.comparison("agg_bookings", expected, found)
}

/// `booking_seats`: the bookings that were created on the day, and what became of them since.
pub(super) fn seats(day: &Day) -> Comparison {
    let created = format!(
        "booking_id IN (SELECT booking_id FROM booking_events WHERE event_type = 'booking.created' AND {OF_THE_DAY})"
    );
    let expected = format!(
        "SELECT (scope, route_id, booking_id, in_state, in_city) AS key,
            (maxIf(scheduled_departure, event_type = 'booking.created'),
             maxIf(ifNull(seats_booked, 0), event_type = 'booking.created'),
             countIf(event_type = 'booking.confirmed') > 0, countIf(event_type = 'booking.cancelled') > 0) AS value,
            min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::Booking, &created)
    );
    let found = format!(
        "SELECT (toString(scope), route_id, booking_id, toString(state), toString(city)) AS key,
            (max(departure), max(seats), max(confirmed), max(cancelled)) AS value
         FROM booking_seats WHERE {created} GROUP BY key"
    );
    day.comparison("booking_seats", expected, found)
}
