use super::{
    Kind,
    days::{days_within, slots_within},
};
use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    time::Span,
};

/// Bits of a day in the first of two words, which machines count faster than one of 128 bits.
const LOW_HOURS: u8 = 16;

/// Distinct users of every hour of a span on the grid. The hours are those of UTC, so that each lies in one day: once
/// the days of a user are one row, users are counted without being told apart.
pub(super) fn query(core: Span, region: &RegionFilter) -> Query {
    let mut parameters = Parameters::default();
    let days = merged(core, region, &mut parameters);
    let users: Vec<String> = (0..24).map(|hour| users_of(hour, region)).collect();
    parameters.into_query(format!(
        "SELECT toUInt64(day) * 86400 + hour * 3600 AS unit, users\n\
         FROM\n\
         (\n\
         SELECT day, [{}] AS hours\n\
         FROM (SELECT day, sign, toUInt64(active) AS low, toUInt64(bitShiftRight(active, 64)) AS high FROM\n\
         (\n\
         {days}\n\
         ))\n\
         GROUP BY day\n\
         )\n\
         ARRAY JOIN hours AS users, range(24) AS hour\n\
         WHERE users != 0",
        users.join(", ")
    ))
}

/// `day`, `sign` and the bits `active`, one row for each user and sign.
fn merged(core: Span, region: &RegionFilter, parameters: &mut Parameters) -> String {
    let (sign, active) = (
        region.stored_sign(),
        slots_within(Kind::Any, core, parameters),
    );
    let (days, regions) = (days_within(core, parameters), region.stored(parameters));
    match region {
        RegionFilter::Everywhere => format!(
            "SELECT day, {sign} AS sign, {active} AS active FROM merged_user_days WHERE {days} AND {regions}"
        ),
        // A user may have been active in several cities.
        _ => format!(
            "SELECT day, {sign} AS sign, groupBitOr({active}) AS active FROM user_days WHERE {days} \
             AND {regions} GROUP BY day, sign, user_id"
        ),
    }
}

fn users_of(hour: u8, region: &RegionFilter) -> String {
    let (word, place) = match hour < LOW_HOURS {
        true => ("low", hour),
        false => ("high", hour - LOW_HOURS),
    };
    let active = format!("bitAnd({word}, {}) != 0", 0b1111_u64 << (4 * place));
    match region {
        RegionFilter::Remainder(_) => format!("sum(sign * ({active}))"),
        _ => format!("toInt64(countIf({active}))"),
    }
}
