use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::try_join;
use shared_schema::{Domain, EventType};

use super::{
    registrations::{PeopleRow, RegistrationRow, everyone, new_registrations},
    running_totals,
};
use crate::{
    activity::{ActiveRow, ChangeRow, active_by_unit, active_in_all, rolling},
    ask::Ask,
    cells::{Counted, counted},
    count,
    number::{Hundredths, Quantity},
    selection::Selection,
    series,
    time::{BeyondRetention, Buckets, Kept},
    trends::{Period, TrendPoint},
};

/// A metric of users that has one value for a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserMetric {
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
    const fn counted(self) -> &'static [Counted] {
        const REGISTRATIONS: &[Counted] = &[counted("value", EventType::UserRegistered)];
        match self {
            Self::Registrations => REGISTRATIONS,
            _ => &[],
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
        UserMetric::ActiveInLast(days) => active_in_last(store, selection, days).await?,
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
    let points = series::points(selection, metric.counted(), units, |_, known| TrendPoint {
        value: known.copied().unwrap_or(nothing),
    });
    Ok(Period {
        value,
        cells: selection.cells(metric.counted(), &selection.whole()),
        time_series: points.unwrap_or_default(),
    })
}

/// The value of the whole range, and those of some units by the second in which they begin.
type Values = (Option<Quantity>, Vec<(u64, Option<Quantity>)>);

async fn active_in_last<A: Ask>(
    store: &A,
    selection: &Selection,
    days: u64,
) -> Result<Values, A::Error> {
    let query = rolling(selection, days);
    let changes: Vec<ChangeRow> = store
        .rows_if("trends: active users", query.as_ref())
        .await?
        .unwrap_or_default();
    let changes: HashMap<u64, i64> = changes
        .into_iter()
        .map(|row| (row.place, row.change))
        .collect();
    let units = selection.series.iter().flat_map(Buckets::iter);
    let mut active = 0;
    let mut values = Vec::new();
    for (place, unit) in (0..).zip(units) {
        active += changes.get(&place).copied().unwrap_or_default();
        values.push((unit, Some(Quantity::Count(count(active)))));
    }
    let value = values.last().and_then(|(_, value)| *value);
    // what lies ahead has no day that is the last
    let begun = values
        .into_iter()
        .filter(|(unit, _)| unit.from <= selection.now);
    Ok((
        value,
        begun.map(|(unit, value)| (unit.second(), value)).collect(),
    ))
}

async fn active<A: Ask>(store: &A, selection: &Selection) -> Result<Values, A::Error> {
    let (all, by_unit) = (active_in_all(selection), active_by_unit(selection));
    let (all, by_unit) = try_join!(
        store.row::<ActiveRow>("trends: active users of all", &all),
        store.rows_if("trends: active users by unit", by_unit.as_ref()),
    )?;
    let users = |row: &ActiveRow| Quantity::Count(count(row.users));
    let units = by_unit.into_iter().flatten();
    Ok((
        Some(users(&all)),
        units
            .map(|row: ActiveRow| (row.unit, Some(users(&row))))
            .collect(),
    ))
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
