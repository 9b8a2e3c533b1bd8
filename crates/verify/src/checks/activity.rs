use analytics::Domain;

use super::Day;
use crate::{
    comparison::{Comparison, Extra},
    facts::{OF_THE_DAY, PLACE, people, scoped},
};

/// Which quarter of an hour of its UTC day an event lies in.
const SLOT_OF_DAY: &str =
    "toUInt8(toHour(event_timestamp) * 4 + intDiv(toMinute(event_timestamp), 15))";

/// `user_days`. Where locations have expired, users may be found whom only those named.
pub(super) fn slots(day: &Day) -> Comparison {
    let kept = |domain: &&Domain| day.with_locations || **domain != Domain::Location;
    let named: Vec<String> = Domain::ALL
        .iter()
        .filter(kept)
        .map(|domain| {
            format!(
                "SELECT scope, {SLOT_OF_DAY} AS slot, in_state, in_city, arrayJoin({}) AS person, {PLACE} AS at FROM {}",
                people(*domain),
                scoped(*domain, OF_THE_DAY)
            )
        })
        .collect();
    let expected = format!(
        "SELECT (scope, slot, in_state, in_city, person) AS key, 'active' AS value, min(at) AS place \
         FROM ({}) GROUP BY key",
        named.join(" UNION ALL ")
    );
    let found = "SELECT (toString(scope), toUInt8(arrayJoin(bitPositionsToArray(slots))), toString(state), toString(city), user_id) AS key, 'active' AS value
         FROM user_days WHERE day = toDate({from:DateTime64(3, 'UTC')}) GROUP BY key"
        .to_owned();
    let extra = if day.with_locations {
        Extra::Wrong
    } else {
        Extra::Expired
    };
    Comparison {
        extra,
        ..day.comparison("user_days", expected, found)
    }
}
