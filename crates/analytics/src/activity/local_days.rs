use super::{
    Kind,
    days::{days_within, slots_before, slots_within},
    units,
};
use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    time::{DayStarts, Span},
};

/// Distinct users of every local day of a span on the grid, where one begins in each UTC day, and at the same second
/// unless the clock was moved. One or two masks then tell of all days of the users whether they lie in the local day
/// that began before, in the one that begins in them, or in both.
pub(super) fn query(core: Span, starts: DayStarts, region: &RegionFilter) -> Query {
    let mut parameters = Parameters::default();
    let days = format!(
        "SELECT day, {sign} AS sign, user_id AS person, {active} AS active FROM user_days WHERE {days} AND {regions}",
        sign = region.stored_sign(),
        active = slots_within(Kind::Any, core, &mut parameters),
        days = days_within(core, &mut parameters),
        regions = region.stored(&mut parameters),
    );
    let slots = slots_before("slots_before", starts.second, &mut parameters);
    let second = parameters.number("begins_at", starts.second);
    let (slots, second) = match starts.moved {
        None => (slots, second),
        Some((day, later)) => {
            let day = parameters.day("moved_on", day);
            let later_slots = slots_before("later_slots_before", later, &mut parameters);
            let later = parameters.number("later_begins_at", later);
            (
                format!("if(day < {day}, {slots}, {later_slots})"),
                format!("if(begins < {day}, {second}, {later})"),
            )
        }
    };
    let early = format!("bitAnd(active, {slots})");
    parameters.into_query(format!(
        "SELECT toUInt64(begins) * 86400 + {second} AS unit, {users} AS users\n\
         FROM\n\
         (\n\
         SELECT arrayJoin(multiIf({early} = active, [day - 1], {early} = 0, [day], [day - 1, day])) AS begins, \
         sign, person\n\
         FROM ({days})\n\
         WHERE active != 0\n\
         )\n\
         GROUP BY begins",
        users = units::distinct(region),
    ))
}
