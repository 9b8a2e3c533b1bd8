use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, SLOT, SLOTS_OF_THE_DAY, scoped},
};

const EARNED: &str = "sum(if(event_type = 'trip.completed', toDecimal128(assumeNotNull(driver_earnings), 2), toDecimal128(0, 2)))";

/// `agg_trips`
pub(super) fn slots(day: &Day) -> Comparison {
    let expected = format!(
        "SELECT (scope, {SLOT}, in_state, in_city) AS key,
            (countIf(event_type = 'trip.started'), countIf(event_type = 'trip.completed'), countIf(event_type = 'trip.cancelled'),
             sumIf(toUInt64(assumeNotNull(duration_minutes)), event_type = 'trip.completed'),
             sumIf(distance_m, event_type = 'trip.completed'), countIf(event_type = 'trip.completed' AND on_time),
             {EARNED},
             sum(if(event_type = 'trip.completed', toDecimal128(assumeNotNull(platform_commission), 2), toDecimal128(0, 2))),
             uniqExact(driver_id)) AS value,
            min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::Trip, OF_THE_DAY)
    );
    let found = format!(
        "SELECT (toString(scope), slot, toString(state), toString(city)) AS key,
            (sum(started), sum(completed), sum(cancelled), sum(duration_minutes), sum(distance_m), sum(on_time),
             sum(driver_earnings), sum(platform_commission), uniqExactArray(driver_ids)) AS value
         FROM agg_trips WHERE {SLOTS_OF_THE_DAY} GROUP BY key"
    );
    day.comparison("agg_trips", expected, found)
}

/// `agg_driver_earnings`
pub(super) fn drivers(day: &Day) -> Comparison {
    let expected = format!(
        "SELECT (scope, {SLOT}, driver_id, in_state, in_city) AS key,
            (count(), {EARNED}, sum(distance_m), countIf(on_time)) AS value, min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(
            Domain::Trip,
            &format!("event_type = 'trip.completed' AND {OF_THE_DAY}")
        )
    );
    let found = format!(
        "SELECT (toString(scope), slot, driver_id, toString(state), toString(city)) AS key,
            (sum(trips), sum(earnings), sum(distance_m), sum(on_time)) AS value
         FROM driver_earning_slots WHERE {SLOTS_OF_THE_DAY} GROUP BY key"
    );
    day.comparison("agg_driver_earnings", expected, found)
}
