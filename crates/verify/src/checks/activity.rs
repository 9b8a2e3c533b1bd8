use analytics::Domain;

use super::Day;
use crate::{
    comparison::{Comparison, Extra},
    facts::{OF_THE_DAY, PLACE, SLOT, SLOTS_OF_THE_DAY, people, scoped},
};

/// `user_activity`. Where locations have expired, users may be found whom only those named.
pub(super) fn slots(day: &Day) -> Comparison {
    let kept = |domain: &&Domain| day.with_locations || **domain != Domain::Location;
    let named: Vec<String> = Domain::ALL
        .iter()
        .filter(kept)
        .map(|domain| {
            format!(
                "SELECT scope, {SLOT} AS in_slot, in_state, in_city, arrayJoin({}) AS person, {PLACE} AS at FROM {}",
                people(*domain),
                scoped(*domain, OF_THE_DAY)
            )
        })
        .collect();
    let expected = format!(
        "SELECT (scope, in_slot, in_state, in_city, person) AS key, 'active' AS value, min(at) AS place \
         FROM ({}) GROUP BY key",
        named.join(" UNION ALL ")
    );
    let found = format!(
        "SELECT (toString(scope), slot, toString(state), toString(city), user_id) AS key, 'active' AS value
         FROM user_activity WHERE {SLOTS_OF_THE_DAY} GROUP BY key"
    );
    let extra = if day.with_locations {
        Extra::Wrong
    } else {
        Extra::Expired
    };
    Comparison {
        extra,
        ..day.comparison("user_activity", expected, found)
    }
}
