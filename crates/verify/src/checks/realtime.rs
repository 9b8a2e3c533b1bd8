use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use event_store::Params;
use shared_schema::Domain;

use crate::{
    comparison::{Comparison, Extra},
    facts::{PLACE, people, scoped},
};

/// Rows leave after two days, so that of one and a half all are there.
const KEPT: TimeDelta = TimeDelta::hours(36);

/// `agg_realtime`: the last one and a half days.
pub(super) fn seconds(now: DateTime<Utc>) -> Comparison {
    let named: Vec<String> = Domain::ALL.iter().map(|domain| tiles(*domain)).collect();
    let expected = format!(
        "SELECT (scope, second, in_state, in_city) AS key,
            (uniqExactArray(users), uniqExactArray(drivers), sum(created), sum(received), sum(waited), sum(started)) AS value,
            min(at) AS place
         FROM ({}) GROUP BY key",
        named.join(" UNION ALL ")
    );
    let found = "SELECT (toString(scope), second, toString(state), toString(city)) AS key,
            (uniqExactMerge(users), uniqExactMerge(drivers), sum(bookings_created), sum(revenue), sum(wait_ms), sum(trips_started)) AS value
         FROM agg_realtime WHERE second > toDateTime({since:DateTime64(3, 'UTC')}) GROUP BY key"
        .to_owned();
    Comparison {
        subject: "agg_realtime".to_owned(),
        expected,
        found,
        extra: Extra::Wrong,
        params: Params::new().with("since", now.trunc_subsecs(0) - KEPT),
    }
}

/// What an event adds to its second.
fn tiles(domain: Domain) -> String {
    let created = match domain {
        Domain::Booking => "toUInt64(event_type = 'booking.created')",
        _ => "toUInt64(0)",
    };
    let received = match domain {
        Domain::Payment => {
            "if(event_type = 'payment.success' AND currency = 'NGN', toDecimal128(assumeNotNull(amount), 2), toDecimal128(0, 2))"
        }
        _ => "toDecimal128(0, 2)",
    };
    let (waited, started) = match domain {
        Domain::Trip => (
            "if(event_type = 'trip.started', toUInt64(greatest(0, toUnixTimestamp64Milli(assumeNotNull(actual_departure)) - toUnixTimestamp64Milli(assumeNotNull(scheduled_departure)))), toUInt64(0))",
            "toUInt64(event_type = 'trip.started')",
        ),
        _ => ("toUInt64(0)", "toUInt64(0)"),
    };
    let drivers = match domain {
        Domain::Location => "[driver_id]",
        _ => "[]::Array(UUID)",
    };
    // The second in which an event lies is named after its end.
    let recent = "event_timestamp > {since:DateTime64(3, 'UTC')} AND NOT clock_skew \
        AND event_timestamp > decided_at - INTERVAL 1 DAY";
    format!(
        "SELECT scope, toDateTime(intDiv(toUnixTimestamp64Milli(event_timestamp) + 999, 1000), 'UTC') AS second, in_state, in_city,
            {users} AS users, {drivers} AS drivers, {created} AS created, {received} AS received, {waited} AS waited,
            {started} AS started, {PLACE} AS at
         FROM {}",
        scoped(domain, recent),
        users = people(domain),
    )
}
