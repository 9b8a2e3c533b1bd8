//! The metrics of users, each of which has statements of its own.

use chrono::{DateTime, TimeDelta, Utc};
use futures::try_join;
use shared_schema::{Domain, EventType};

use super::{Period, TrendPoint};
use crate::{
    activity::{active_by_unit, active_in_all, active_in_last},
    ask::Ask,
    cells::{Counted, What, counted, counted_as},
    count,
    number::{Hundredths, Quantity},
    selection::Selection,
    series,
    time::{BeyondRetention, Kept},
    users::{
        PeopleRow, RegistrationRow, active_in_last_days, everyone, new_registrations,
        running_totals,
    },
};

/// A metric of users that has one value for a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserMetric {
    /// Distinct users active in so many local days, the last being the one in which the range or unit ends.
    ActiveInLast(u64),
    /// Distinct users active in the range or unit.
    Active,
    /// `user.registered` events.
    Registrations,
    /// Users registered up to the end, since ever.
    Everyone,
    /// Of those registered in the range or unit, the share that is verified by now.
    Verified,
    /// Of those registered in the range or unit, the share that has become drivers by now.
    Upgraded,
}

impl UserMetric {
    /// Checks that what the bounds need is still stored: whoever counts active users needs locations.
    ///
    /// # Errors
    /// When a bound lies off the grid where events are no longer kept.
    pub(crate) fn check_kept(self, selection: &Selection) -> Result<(), BeyondRetention> {
        let (range, now) = (&selection.range, selection.now);
        match self {
            Self::ActiveInLast(_) => Kept::Locations.check_end(range, now),
            Self::Active => Kept::Locations.check(range, now),
            _ => Kept::Events.check(range, now),
        }
    }

    /// The events that it is made of.
    pub(crate) const fn domains(self) -> &'static [Domain] {
        match self {
            Self::ActiveInLast(_) | Self::Active => &Domain::ALL,
            _ => &[Domain::User],
        }
    }

    /// What can be opened of it.
    const fn counted(self) -> Option<Counted> {
        match self {
            Self::ActiveInLast(days) => Some(active_in_last_days("value", days)),
            Self::Active => Some(counted_as("value", What::ActiveUsers)),
            Self::Registrations => Some(counted("value", EventType::UserRegistered)),
            Self::Everyone | Self::Verified | Self::Upgraded => None,
        }
    }

    /// When the first event may have happened that matters.
    pub(crate) fn since(self, selection: &Selection) -> DateTime<Utc> {
        let start = selection.range.start();
        match self {
            // a day of 24 hours for each, and one for those that are longer
            Self::ActiveInLast(days) => {
                start - TimeDelta::days(days.saturating_add(1).try_into().unwrap_or(32))
            }
            _ => start,
        }
    }
}

/// The metric over the whole range, and over each unit of the series.
pub(crate) async fn trend<A: Ask>(
    store: &A,
    selection: &Selection,
    metric: UserMetric,
) -> Result<Period, A::Error> {
    let (value, units) = match metric {
        UserMetric::ActiveInLast(days) => in_last_days(store, selection, days).await?,
        UserMetric::Active => active(store, selection).await?,
        UserMetric::Registrations => registrations(store, selection).await?,
        UserMetric::Everyone => total(store, selection).await?,
        UserMetric::Verified => share_of_registered(store, selection, |row| row.verified).await?,
        UserMetric::Upgraded => share_of_registered(store, selection, |row| row.upgraded).await?,
    };
    let nothing = match metric {
        UserMetric::Verified | UserMetric::Upgraded => None,
        _ => Some(Quantity::Count(0)),
    };
    let counted = metric.counted();
    let points = series::points(selection, counted.as_slice(), units, |_, known| {
        TrendPoint {
            value: known.copied().unwrap_or(nothing),
        }
    });
    Ok(Period {
        value,
        cells: selection.cells(counted.as_slice(), &selection.whole()),
        time_series: points.unwrap_or_default(),
    })
}

/// The value of the whole range, and those of some units by the second in which they begin.
type Values = (Option<Quantity>, Vec<(u64, Option<Quantity>)>);

async fn in_last_days<A: Ask>(
    store: &A,
    selection: &Selection,
    days: u64,
) -> Result<Values, A::Error> {
    let units = active_in_last(store, selection, days).await?;
    let users = |users: &u64| Some(Quantity::Count(*users));
    let value = units.last().and_then(|(_, last)| users(last));
    // what lies ahead has no day that is the last
    let begun = units.iter().filter(|(unit, _)| unit.from <= selection.now);
    let begun = begun.map(|(unit, active)| (unit.second(), users(active)));
    Ok((value, begun.collect()))
}

async fn active<A: Ask>(store: &A, selection: &Selection) -> Result<Values, A::Error> {
    let (all, by_unit) = try_join!(
        active_in_all(store, selection),
        active_by_unit(store, selection),
    )?;
    let users = |users| Some(Quantity::Count(users));
    let units = by_unit
        .iter()
        .map(|row| (row.unit, users(count(row.users))));
    Ok((users(all), units.collect()))
}

async fn registrations<A: Ask>(store: &A, selection: &Selection) -> Result<Values, A::Error> {
    let query = new_registrations(selection);
    let rows: Vec<RegistrationRow> = store.rows("trends: registrations", &query).await?;
    let (all, units): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.unit == 0);
    let registered = |row: &RegistrationRow| Quantity::Count(count(row.registered));
    Ok((
        Some(all.first().map_or(Quantity::Count(0), registered)),
        units
            .iter()
            .map(|row| (row.unit, Some(registered(row))))
            .collect(),
    ))
}

async fn total<A: Ask>(store: &A, selection: &Selection) -> Result<Values, A::Error> {
    let rows: Vec<PeopleRow> = store.rows("trends: users", &everyone(selection)).await?;
    let totals = running_totals(selection, &rows);
    let all = rows.iter().map(|row| row.users).sum();
    let begun = totals
        .into_iter()
        .filter(|(unit, _)| unit.from <= selection.now);
    let users = |users| Some(Quantity::Count(users));
    Ok((
        users(all),
        begun
            .map(|(unit, total)| (unit.second(), users(total)))
            .collect(),
    ))
}

async fn share_of_registered<A: Ask>(
    store: &A,
    selection: &Selection,
    part: fn(&PeopleRow) -> u64,
) -> Result<Values, A::Error> {
    let rows: Vec<PeopleRow> = store.rows("trends: users", &everyone(selection)).await?;
    let share = |part: u64, whole: u64| Hundredths::percent(part, whole).map(Quantity::Decimal);
    let all = share(
        rows.iter().map(part).sum(),
        rows.iter().map(|row| row.registered).sum(),
    );
    let units = rows.iter().filter(|row| row.unit != 0);
    Ok((
        all,
        units
            .map(|row| (row.unit, share(part(row), row.registered)))
            .collect(),
    ))
}
