//! Registered users: one of each, by the first registration.

use crate::{
    query::Parameters,
    region::RegionFilter,
    time::{Span, clamped},
};

/// Lets a statement that reads [`registered`] drop users before their parts are merged.
pub(crate) const DROP_FIRST: &str = "SETTINGS optimize_move_to_prewhere_if_final = 1";

/// The registered users who are at home in the filter's regions, with these columns of `user_profiles`.
pub(crate) fn registered(
    columns: &str,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> String {
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

/// The second of a user's first registration.
pub(crate) const REGISTERED: &str = "toUInt64(toUnixTimestamp(assumeNotNull(registered_at)))";

/// Those of them whose first registration lies in a span.
pub(crate) fn registered_within(
    span: Span,
    columns: &str,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> String {
    let people = registered(columns, region, parameters);
    let from = parameters.time("registered_from", clamped(span.from));
    let until = parameters.time("registered_until", clamped(span.until));
    format!("{people} AND registered_at >= {from} AND registered_at < {until}")
}
