use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, SLOT, SLOTS_OF_THE_DAY, scoped},
};

/// `agg_users`
pub(super) fn slots(day: &Day) -> Comparison {
    let expected = format!(
        "SELECT (scope, {SLOT}, in_state, in_city) AS key,
            (countIf(event_type = 'user.registered'), countIf(event_type = 'user.kyc_verified' AND kyc_status = 'VERIFIED'),
             countIf(event_type = 'user.kyc_verified' AND kyc_status = 'REJECTED'),
             countIf(event_type = 'user.upgraded_to_driver')) AS value, min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::User, OF_THE_DAY)
    );
    let found = format!(
        "SELECT (toString(scope), slot, toString(state), toString(city)) AS key,
            (sum(registered), sum(kyc_verified), sum(kyc_rejected), sum(upgraded)) AS value
         FROM agg_users WHERE {SLOTS_OF_THE_DAY} GROUP BY key"
    );
    day.comparison("agg_users", expected, found)
}

/// `users`: those who registered on the day, and what became of them since.
pub(super) fn people(day: &Day) -> Comparison {
    let on_the_day =
        "since >= {from:DateTime64(3, 'UTC')} AND since < {until:DateTime64(3, 'UTC')}";
    let status = "(event_timestamp, event_id, ifNull(toString(kyc_status), ''))";
    let expected = format!(
        "SELECT (scope, in_state, in_city, user_id) AS key, (since, home, latest, ahead, upgraded) AS value, place
         FROM
         (
            SELECT scope, in_state, in_city, user_id, minIf(event_timestamp, event_type = 'user.registered') AS since,
                argMinIf((ifNull(role, ''), toString(state), toString(city)), (event_timestamp, event_id), event_type = 'user.registered') AS home,
                argMaxIf(ifNull(toString(kyc_status), ''), (event_timestamp, event_id), event_type = 'user.kyc_verified' AND event_timestamp <= decided_at) AS latest,
                arraySort(groupUniqArrayIf({status}, event_type = 'user.kyc_verified' AND event_timestamp > decided_at)) AS ahead,
                minIf(toNullable(event_timestamp), event_type = 'user.upgraded_to_driver') AS upgraded,
                min({PLACE}) AS place
            FROM {}
            GROUP BY scope, in_state, in_city, user_id
         )
         WHERE {on_the_day}",
        scoped(
            Domain::User,
            &format!("user_id IN (SELECT user_id FROM user_events WHERE event_type = 'user.registered' AND {OF_THE_DAY})")
        )
    );
    let found = format!(
        "SELECT (toString(scope), toString(state), toString(city), user_id) AS key, (assumeNotNull(since), (first.role, first.state, first.city), latest.status, arraySort(ahead), upgraded) AS value
         FROM
         (
            SELECT scope, state, city, user_id, min(registered_at) AS since, min(home) AS first, max(kyc_latest) AS latest,
                groupUniqArrayArray(kyc_ahead) AS ahead, min(upgraded_at) AS upgraded
            FROM users GROUP BY scope, state, city, user_id
         )
         WHERE {on_the_day}"
    );
    day.comparison("users", expected, found)
}
