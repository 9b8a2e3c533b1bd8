//! `/metrics/users`
//!
#![doc = include_str!("../../definitions/users.md")]

mod registrations;

use std::{borrow::Cow, collections::BTreeMap};

use futures::try_join;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::registrations::{PeopleRow, RegistrationRow, everyone, new_registrations};
use crate::{
    activity::{ActiveRow, MONTH, WEEK, WindowsRow, active_by_unit, windows},
    ask::Ask,
    cells::{Cells, Counted, What, counted, counted_as},
    count,
    number::Hundredths,
    query::Query,
    selection::{Selection, unsettled},
    series::{self, Point},
    time::{BeyondRetention, Buckets, Kept, Span},
};
use shared_schema::{Domain, EventType};

/// Users by activity and by how far they got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Users {
    /// Distinct users named in any event of the local day in which the range ends, up to its end.
    pub dau: u64,
    /// The same of the last 7 local days.
    pub wau: u64,
    /// The same of the last 30 local days.
    pub mau: u64,
    /// `user.registered` events in the range.
    pub new_registrations: u64,
    /// Users registered up to the end of the range, since ever.
    pub total_users: u64,
    /// Of the users registered in the range, the share whose latest verification says VERIFIED by now, in percent.
    #[schema(required)]
    pub kyc_completion_rate: Option<Hundredths>,
    /// Of the users registered in the range, the share that has become drivers by now, in percent.
    #[schema(required)]
    pub driver_activation_rate: Option<Hundredths>,
    /// What opens its counts, where it was asked for: of active users those of the last 30 days, as long as positions are
    /// kept; never `total_users`, who registered since ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
    /// One point per calendar unit, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub time_series: Option<Vec<Point<UserPoint>>>,
}

/// Users of one calendar unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserPoint {
    /// Distinct users named in any event of the unit.
    pub active_users: u64,
    /// `user.registered` events in the unit.
    pub new_registrations: u64,
    /// Users registered up to the end of the unit, since ever.
    pub total_users: u64,
}

/// What the statements of this metric answered.
#[derive(Clone, Debug, Default)]
struct Answers {
    windows: WindowsRow,
    everyone: Vec<PeopleRow>,
    registrations: Vec<RegistrationRow>,
    active: Vec<ActiveRow>,
}

/// Asks for the metrics.
///
/// # Errors
/// When a statement is not answered.
pub async fn ask<A: Ask>(store: &A, selection: &Selection) -> Result<Users, A::Error> {
    let (everyone, registrations) = (everyone(selection), new_registrations(selection));
    let (windows, everyone, registrations, active) = try_join!(
        windows(store, selection),
        store.rows("users: everyone", &everyone),
        store.rows("users: registrations", &registrations),
        active_by_unit(store, selection),
    )?;
    let answers = Answers {
        windows,
        everyone,
        registrations,
        active,
    };
    Ok(assemble(selection, answers))
}

/// Checks that what the bounds need is still stored: registrations need the events of users only, whoever counts active
/// users needs locations, at the end of the range, and for a series also at its start.
///
/// # Errors
/// When a bound lies off the grid where events are no longer kept.
pub fn check_kept(selection: &Selection) -> Result<(), BeyondRetention> {
    let (range, now) = (&selection.range, selection.now);
    Kept::Events.check(range, now)?;
    Kept::Locations.check_end(range, now)?;
    match selection.series {
        Some(_) => Kept::Locations.check(range, now),
        None => Ok(()),
    }
}

/// Counts the facts that no regional number of this metric holds yet, if a region is asked of.
#[must_use]
pub fn unsettled_facts(selection: &Selection) -> Option<Query> {
    let range = &selection.range;
    let start = range.last_days_start(MONTH).min(range.start());
    let count = || unsettled(&Domain::ALL, start, range.end());
    selection.region.is_regional().then(count)
}

/// The metrics that the answers tell.
fn assemble(selection: &Selection, answers: Answers) -> Users {
    let of_people =
        |column: fn(&PeopleRow) -> u64| answers.everyone.iter().map(column).sum::<u64>();
    let registered = of_people(|row| row.registered);
    let verified = of_people(|row| row.verified);
    let upgraded = of_people(|row| row.upgraded);
    let whole = answers.registrations.iter().find(|row| row.unit == 0);
    let new_registrations = whole.map_or(0, |row| count(row.registered));
    Users {
        dau: count(answers.windows.day),
        wau: count(answers.windows.week),
        mau: count(answers.windows.month),
        new_registrations,
        total_users: of_people(|row| row.users),
        kyc_completion_rate: Hundredths::percent(verified, registered),
        driver_activation_rate: Hundredths::percent(upgraded, registered),
        cells: selection.cells(Users::COUNTED, &selection.whole()),
        time_series: time_series(selection, answers),
    }
}

impl Users {
    /// What can be opened of them.
    const COUNTED: &'static [Counted] = &[
        active_in_last_days("dau", 1),
        active_in_last_days("wau", WEEK),
        active_in_last_days("mau", MONTH),
        REGISTRATIONS,
    ];
}

impl UserPoint {
    /// What can be opened of them.
    const COUNTED: &'static [Counted] =
        &[counted_as("active_users", What::ActiveUsers), REGISTRATIONS];
}

const REGISTRATIONS: Counted = counted("new_registrations", EventType::UserRegistered);

/// The users who were active in so many local days that end with a part.
pub(crate) const fn active_in_last_days(name: &'static str, days: u64) -> Counted {
    Counted {
        name: Cow::Borrowed(name),
        what: What::ActiveUsers,
        last_days: Some(days),
    }
}

fn time_series(selection: &Selection, answers: Answers) -> Option<Vec<Point<UserPoint>>> {
    let totals = running_totals(selection, &answers.everyone);
    let mut points = BTreeMap::<u64, UserPoint>::new();
    for row in answers.active {
        points.entry(row.unit).or_default().active_users = count(row.users);
    }
    let registrations = answers.registrations.into_iter();
    for row in registrations.filter(|row| row.unit != 0) {
        points.entry(row.unit).or_default().new_registrations = count(row.registered);
    }
    // a unit whose only events are first registrations is shown too
    for row in answers.everyone.iter().filter(|row| row.unit != 0) {
        points.entry(row.unit).or_default();
    }
    let mut series = series::points(selection, UserPoint::COUNTED, points, |_, known| {
        known.cloned().unwrap_or_default()
    })?;
    for (point, (_, total)) in series.iter_mut().zip(totals) {
        point.values.total_users = total;
    }
    Some(series)
}

/// How many users there are at the end of each unit of the series: its first registrations come on top of all before it.
pub(crate) fn running_totals(selection: &Selection, rows: &[PeopleRow]) -> Vec<(Span, u64)> {
    let mut total = 0;
    let mut first = BTreeMap::<usize, u64>::new();
    let series = selection.series.as_ref();
    for row in rows {
        match series.and_then(|series| series.position(row.unit)) {
            Some(place) if row.unit != 0 => *first.entry(place).or_default() += row.users,
            _ => total += row.users,
        }
    }
    let units = series.into_iter().flat_map(Buckets::iter).enumerate();
    units
        .map(|(place, unit)| {
            total += first.get(&place).copied().unwrap_or_default();
            (unit, total)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::everywhere;

    #[test]
    fn totals_of_the_series_add_up_over_quiet_units() {
        let selection = everywhere(true);
        let unit = |index: usize| {
            let unit = selection
                .series
                .as_ref()
                .unwrap()
                .iter()
                .nth(index)
                .unwrap();
            u64::try_from(unit.from.timestamp()).unwrap()
        };
        let of_unit = |unit, users| PeopleRow {
            unit,
            users,
            registered: if unit == 0 { 0 } else { users },
            verified: if unit == 0 { 0 } else { 1 },
            upgraded: 0,
        };
        let answers = Answers {
            everyone: vec![of_unit(unit(3), 1), of_unit(0, 4), of_unit(unit(1), 2)],
            registrations: vec![
                RegistrationRow {
                    unit: 0,
                    registered: 3,
                },
                RegistrationRow {
                    unit: unit(1),
                    registered: 3,
                },
            ],
            active: vec![ActiveRow {
                unit: unit(2),
                users: 5,
            }],
            ..Answers::default()
        };
        let users = assemble(&selection, answers);
        assert_eq!((users.new_registrations, users.total_users), (3, 7));
        assert_eq!(
            serde_json::to_value(users.kyc_completion_rate).unwrap(),
            66.67
        );
        let series = users.time_series.unwrap();
        let totals: Vec<u64> = series
            .iter()
            .take(5)
            .map(|point| point.values.total_users)
            .collect();
        assert_eq!(totals, [4, 6, 6, 7, 7]);
        assert_eq!(series[1].values.new_registrations, 3);
        assert_eq!(series[2].values.active_users, 5);
    }
}
