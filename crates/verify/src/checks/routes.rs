use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, SLOT, SLOTS_OF_THE_DAY, scoped},
};

/// `agg_popular_routes`
pub(super) fn slots(day: &Day) -> Comparison {
    let expected = format!(
        "SELECT (scope, {SLOT}, route_id, in_state, in_city) AS key,
            (count(), sum(toDecimal128(assumeNotNull(total_price), 2))) AS value, min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::Booking, &format!("event_type = 'booking.confirmed' AND {OF_THE_DAY}"))
    );
    let found = format!(
        "SELECT (toString(scope), slot, route_id, toString(state), toString(city)) AS key, (sum(bookings), sum(revenue)) AS value
         FROM route_booking_slots WHERE {SLOTS_OF_THE_DAY} GROUP BY key"
    );
    day.comparison("agg_popular_routes", expected, found)
}

/// `route_profiles`: the routes that were created on the day, and their names since.
pub(super) fn profiles(day: &Day) -> Comparison {
    let created = format!(
        "route_id IN (SELECT route_id FROM route_events WHERE event_type = 'route.created' AND {OF_THE_DAY})"
    );
    let expected = format!(
        "SELECT (scope, in_state, in_city, route_id) AS key,
            (argMaxIf(route_name, (event_timestamp, event_id), route_name != ''),
             argMaxIf((driver_id, ifNull(origin_state, ''), ifNull(origin_city, ''), ifNull(destination_state, ''),
                 ifNull(destination_city, ''), ifNull(seats_total, 0)), (event_timestamp, event_id), event_type = 'route.created')) AS value,
            min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::Route, &created)
    );
    let found = format!(
        "SELECT (toString(scope), toString(state), toString(city), route_id) AS key, (argMaxMerge(name), argMaxMerge(profile)) AS value
         FROM route_profiles WHERE {created} GROUP BY key"
    );
    day.comparison("route_profiles", expected, found)
}
