//! Registered users: one of each, by the first registration.

mod joined;

use chrono::TimeDelta;
use shared_schema::Domain;

pub use self::joined::Joined;
pub(crate) use self::joined::{Rode, joined};

use crate::{
    pin::Pin,
    query::Parameters,
    region::RegionFilter,
    time::{Kept, Span, clamped},
};

/// Lets a statement that reads [`registered`] drop users before their parts are merged.
pub(crate) const DROP_FIRST: &str = "SETTINGS optimize_move_to_prewhere_if_final = 1";

/// The registered users who are at home in the filter's regions, with these columns of `user_profiles`; at a pin those of
/// `first_registrations`.
pub(crate) fn registered(
    columns: &str,
    region: &RegionFilter,
    pin: Option<&Pin>,
    parameters: &mut Parameters,
) -> String {
    if let Some(pin) = pin {
        let (first, own) = (first_registrations(pin, parameters), region.own(parameters));
        return format!("SELECT {columns}\nFROM\n(\n{first}\n)\nWHERE {own}");
    }
    let registered =
        format!("SELECT {columns}\nFROM user_profiles\nWHERE registered_at IS NOT NULL");
    match region {
        RegionFilter::Everywhere => registered,
        region => {
            let own = region.own(parameters);
            // Merging a user's parts is dear. Whoever is at home here has a part that says so.
            format!(
                "{registered} AND {own} AND user_id IN (SELECT user_id FROM (SELECT user_id, \
                 home.state AS state, home.city AS city FROM users WHERE scope = 'total') WHERE {own})"
            )
        }
    }
}

/// One row per user who was registered at a pin, with the first registration: `registered_at`, `role`, `state` and `city` as
/// `user_profiles` has them, and the event.
///
/// A profile tells of the first registration ever, also of one that is stored no longer, but as of now. So it is asked only
/// for what is older than all that can have become durable since the pin: that it told then, and tells for good. Whatever is
/// younger and was durable is stored as long as the list lasts ([`REPEATABLE`]), and told by its event, whether or not the
/// profile knows of it yet. Regions of registrations are settled as they are stored.
fn first_registrations(pin: &Pin, parameters: &mut Parameters) -> String {
    let durable = pin.durable(Domain::User, parameters);
    let older = parameters.time(
        "profiles_until",
        clamped(Kept::Events.since(pin.made_at) - REPEATABLE),
    );
    format!(
        "SELECT user_id, min(registration) AS first, first.1 AS registered_at, first.3 AS event_id, first.4 AS role, \
         first.5 AS state, first.6 AS city, first.7 AS kafka_topic, first.8 AS kafka_partition, first.9 AS kafka_offset\n\
         FROM\n\
         (\n\
         SELECT user_id, (event_timestamp, false, event_id, ifNull(toString(role), ''), toString(state), toString(city), \
         toString(kafka_topic), kafka_partition, kafka_offset) AS registration\n\
         FROM user_events\n\
         WHERE event_type = 'user.registered' AND {durable}\n\
         UNION ALL\n\
         SELECT user_id, (assumeNotNull(registered_at), true, toUUID('00000000-0000-0000-0000-000000000000'), role, state, city, \
         '', toUInt32(0), toUInt64(0)) AS registration\n\
         FROM user_profiles\n\
         WHERE registered_at < {older}\n\
         )\n\
         GROUP BY user_id"
    )
}

/// How long after an answer its first registrations are found again. An event is accepted for 90 days, and stored for 14
/// more: half of these. In the other half a batch that was accepted before the answer may still become durable.
pub(crate) const REPEATABLE: TimeDelta = TimeDelta::days(7);

/// The second of a user's first registration.
pub(crate) const REGISTERED: &str = "toUInt64(toUnixTimestamp(assumeNotNull(registered_at)))";

/// Rows of a `person`, those of these people alone, with the columns of both.
pub(crate) fn of_people(rows: &str, people: &str) -> String {
    format!("(\n{rows}\n) AS active\nINNER JOIN\n(\n{people}\n) AS registered USING (person)")
}

/// Those of them whose first registration lies in a span.
pub(crate) fn registered_within(
    span: Span,
    columns: &str,
    region: &RegionFilter,
    pin: Option<&Pin>,
    parameters: &mut Parameters,
) -> String {
    let people = registered(columns, region, pin, parameters);
    let from = parameters.time("registered_from", clamped(span.from));
    let until = parameters.time("registered_until", clamped(span.until));
    format!("{people} AND registered_at >= {from} AND registered_at < {until}")
}
