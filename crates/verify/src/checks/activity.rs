use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::{Comparison, Extra},
    facts::{OF_THE_DAY, PLACE, people, scoped},
};

/// Which quarter of an hour of its UTC day an event lies in.
const SLOT_OF_DAY: &str =
    "toUInt8(toHour(event_timestamp) * 4 + intDiv(toMinute(event_timestamp), 15))";

/// `user_days`: each quarter of an hour, and in the place after the last the time of the last event. Where locations have
/// expired, users may be found whom only those named, and the last event is not known.
pub(super) fn slots(day: &Day) -> Comparison {
    let kept = |domain: &&Domain| day.with_locations || **domain != Domain::Location;
    let named: Vec<String> = Domain::ALL
        .iter()
        .filter(kept)
        .map(|domain| {
            format!(
                "SELECT scope, {SLOT_OF_DAY} AS slot, in_state, in_city, arrayJoin({people}) AS person, {rides} AS rides, \
                 event_timestamp AS moment, {PLACE} AS at FROM {facts}",
                people = people(*domain),
                rides = rides(*domain),
                facts = scoped(*domain, OF_THE_DAY)
            )
        })
        .collect();
    let (last, extra) = match day.with_locations {
        true => ("[toUInt8(96)]", Extra::Wrong),
        false => ("[]", Extra::Expired),
    };
    let expected = format!(
        "SELECT (scope, arrayJoin(arrayConcat([slot], {last})) AS part, in_state, in_city, person) AS key,
            if(part = 96, toString(max(moment)), if(max(rides), 'rode', 'active')) AS value,
            if(part = 96, argMax(at, moment), min(at)) AS place
         FROM ({}) GROUP BY key, part",
        named.join(" UNION ALL ")
    );
    let found = format!(
        "SELECT (scope, toUInt8(arrayJoin(arrayConcat(bitPositionsToArray(bitOr(active, rides)), {last}))) AS part, state, city, user_id) AS key,
            if(part = 96, toString(moment), if(bitAnd(rides, bitShiftLeft(toUInt128(1), part)) != 0, 'rode', 'active')) AS value
         FROM
         (
            SELECT toString(scope) AS scope, toString(state) AS state, toString(city) AS city, user_id,
                groupBitOr(slots) AS active, groupBitOr(rode) AS rides, max(last_at) AS moment
            FROM user_days WHERE day = toDate({{from:DateTime64(3, 'UTC')}}) GROUP BY ALL
         )"
    );
    Comparison {
        extra,
        ..day.comparison("user_days", expected, found)
    }
}

/// Whether an event is one that only a user who rides has a part in.
const fn rides(domain: Domain) -> &'static str {
    match domain {
        Domain::Booking => "event_type != 'booking.cancelled'",
        Domain::Trip => "event_type != 'trip.cancelled'",
        _ => "false",
    }
}
