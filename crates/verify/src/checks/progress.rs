use chrono::{DateTime, TimeDelta, Utc};
use event_store::Params;
use shared_schema::Domain;

use crate::{
    comparison::{Comparison, Extra},
    facts::{PLACE, scoped},
};

/// Rows leave three days after their last event; of trips that began within two, all are there.
const KEPT: TimeDelta = TimeDelta::days(2);

/// `trip_progress`: the trips whose first event is of the last two days.
pub(super) fn trips(now: DateTime<Utc>) -> Comparison {
    let recent = "trip_id IN (SELECT trip_id FROM trip_events GROUP BY trip_id \
        HAVING min(event_timestamp) >= {since:DateTime64(3, 'UTC')})";
    let counted =
        format!("{recent} AND NOT clock_skew AND event_timestamp > decided_at - INTERVAL 2 DAY");
    let expected = format!(
        "SELECT (scope, in_state, in_city, trip_id) AS key,
            (maxIf(toNullable(event_timestamp), event_type = 'trip.started'),
             maxIf(toNullable(event_timestamp), event_type IN ('trip.completed', 'trip.cancelled'))) AS value,
            min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::Trip, &counted)
    );
    let found = format!(
        "SELECT (toString(scope), toString(state), toString(city), trip_id) AS key, (max(started_at), max(ended_at)) AS value
         FROM trip_progress WHERE {recent} GROUP BY key"
    );
    Comparison {
        subject: "trip_progress".to_owned(),
        expected,
        found,
        extra: Extra::Wrong,
        params: Params::new().with("since", now - KEPT),
    }
}
