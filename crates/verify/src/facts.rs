//! The stored events with everything that settling found out about them, as subqueries.

use shared_schema::Domain;

/// Where an event was read: what its number is traced back to.
pub(crate) const PLACE: &str = "(toString(kafka_topic), kafka_partition, kafka_offset)";

/// The columns of [`PLACE`] as they are stored, by which tables are joined.
pub(crate) const PLACED: &str = "kafka_topic, kafka_partition, kafka_offset";

/// The columns of a domain's events that name users.
pub(crate) const fn people(domain: Domain) -> &'static str {
    match domain {
        Domain::User => "[user_id]",
        Domain::Booking | Domain::Trip => "[rider_id, driver_id]",
        Domain::Payment => "[rider_id]",
        Domain::Route | Domain::Location => "[driver_id]",
    }
}

/// The events for which a condition holds, once for the total, and once more for their region if that is known.
///
/// Beside the typed columns they have `scope`, `in_state` and `in_city` (empty in the total), and `settled_method`.
pub(crate) fn scoped(domain: Domain, condition: &str) -> String {
    let events = domain.events_table();
    let columns = if matches!(domain, Domain::Trip) {
        "*, distance_m"
    } else {
        "*"
    };
    format!(
        "(
    SELECT *, arrayJoin(if(region_settled OR settled_state != '', ['total', 'region'], ['total'])) AS scope,
        multiIf(scope = 'total', '', region_settled, toString(state), toString(settled_state)) AS in_state,
        multiIf(scope = 'total', '', region_settled, toString(city), toString(settled_city)) AS in_city
    FROM (SELECT {columns} FROM {events} WHERE {condition}) AS event
    LEFT ANY JOIN
    (
        SELECT {PLACED},
            state AS settled_state, city AS settled_city, payment_method AS settled_method
        FROM settlements
        WHERE ({PLACED}) IN
            (SELECT {PLACED} FROM {events} WHERE {condition})
    ) AS settlement USING ({PLACED})
)"
    )
}

/// The condition on events of the day that is checked.
pub(crate) const OF_THE_DAY: &str = "event_timestamp >= {from:DateTime64(3, 'UTC')} AND event_timestamp < {until:DateTime64(3, 'UTC')}";

/// The condition on slots of the day that is checked.
pub(crate) const SLOTS_OF_THE_DAY: &str = "slot >= toDateTime({from:DateTime64(3, 'UTC')}) AND slot < toDateTime({until:DateTime64(3, 'UTC')})";

/// The quarter of an hour of an event.
pub(crate) const SLOT: &str = "toStartOfFifteenMinutes(toDateTime(event_timestamp))";
