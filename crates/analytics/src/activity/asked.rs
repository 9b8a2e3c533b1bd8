//! Who asks for active users asks for those whose window can be opened at the pin, and for the others as it is now:
//! locations are kept for a shorter time than what else an answer with cells is made of.

use chrono::{DateTime, Utc};
use futures::try_join;

use super::{
    ActiveRow, WindowsRow, by_unit, in_all,
    rolling::{self, ChangeRow},
    windows::{self, Windows},
};
use crate::{
    ask::Ask,
    count,
    selection::Selection,
    time::{Buckets, Kept, Span, last_days_start},
};

/// A selection as what is asked of it at its pin, and without one.
struct Sides {
    at_pin: Option<Selection>,
    now: Option<Selection>,
}

impl Sides {
    /// For windows that begin at these instants.
    fn of(selection: &Selection, starts: impl Iterator<Item = DateTime<Utc>> + Clone) -> Self {
        let mut opens = starts.map(|start| is_opened(selection, start));
        let now = || Selection {
            opening: None,
            ..selection.clone()
        };
        Self {
            at_pin: opens.clone().any(|opens| opens).then(|| selection.clone()),
            now: opens.any(|opens| !opens).then(now),
        }
    }
}

/// Whether a count of the users who were active from an instant on can be opened.
fn is_opened(selection: &Selection, start: DateTime<Utc>) -> bool {
    selection.opening.is_some() && start >= Kept::Locations.since(selection.now)
}

/// Distinct users of the last 1, 7 and 30 local days that end with the range.
pub(crate) async fn windows<A: Ask>(
    store: &A,
    selection: &Selection,
) -> Result<WindowsRow, A::Error> {
    let Windows { day, week, month } = Windows::of(selection);
    let sides = Sides::of(selection, [day, week, month].into_iter());
    let (at_pin, now) = (
        sides.at_pin.as_ref().map(windows::query),
        sides.now.as_ref().map(windows::query),
    );
    let (at_pin, now) = try_join!(
        store.rows_if::<WindowsRow>("users: windows at the pin", at_pin.as_ref()),
        store.rows_if::<WindowsRow>("users: windows", now.as_ref()),
    )?;
    let only = |rows: Option<Vec<WindowsRow>>| rows.and_then(|rows| rows.first().copied());
    let (at_pin, now) = (
        only(at_pin).unwrap_or_default(),
        only(now).unwrap_or_default(),
    );
    let of = |start| match is_opened(selection, start) {
        true => at_pin,
        false => now,
    };
    Ok(WindowsRow {
        day: of(day).day,
        week: of(week).week,
        month: of(month).month,
    })
}

/// Distinct users of every unit of the series that has any; none where no series is wanted.
pub(crate) async fn active_by_unit<A: Ask>(
    store: &A,
    selection: &Selection,
) -> Result<Vec<ActiveRow>, A::Error> {
    let start = |unit: &Span| unit.from.max(selection.range.start());
    let units: Vec<Span> = selection.series.iter().flat_map(Buckets::iter).collect();
    let sides = Sides::of(selection, units.iter().map(start));
    let first_opened = units
        .iter()
        .find(|unit| is_opened(selection, start(unit)))
        .map_or(u64::MAX, |unit| unit.second());
    let (at_pin, now) = (
        sides.at_pin.as_ref().and_then(by_unit),
        sides.now.as_ref().and_then(by_unit),
    );
    let (at_pin, now) = try_join!(
        store.rows_if::<ActiveRow>("users: active by unit at the pin", at_pin.as_ref()),
        store.rows_if::<ActiveRow>("users: active by unit", now.as_ref()),
    )?;
    let at_pin = at_pin.into_iter().flatten();
    let now = now.into_iter().flatten();
    Ok(now
        .filter(|row| row.unit < first_opened)
        .chain(at_pin.filter(|row| row.unit >= first_opened))
        .collect())
}

/// Distinct users of the whole range.
pub(crate) async fn active_in_all<A: Ask>(
    store: &A,
    selection: &Selection,
) -> Result<u64, A::Error> {
    let start = [selection.range.start()];
    let sides = Sides::of(selection, start.into_iter());
    let query = sides.at_pin.or(sides.now).as_ref().map(in_all);
    let rows = store
        .rows_if::<ActiveRow>("users: active in all", query.as_ref())
        .await?;
    let users = rows.into_iter().flatten().map(|row| count(row.users));
    Ok(users.sum())
}

/// Each unit of the series with the distinct users of the last so many local days that end with it.
pub(crate) async fn active_in_last<A: Ask>(
    store: &A,
    selection: &Selection,
    days: u64,
) -> Result<Vec<(Span, u64)>, A::Error> {
    let range = &selection.range;
    let start = |unit: &Span| last_days_start(range.zone(), unit.until.min(range.end()), days);
    let units: Vec<Span> = selection.series.iter().flat_map(Buckets::iter).collect();
    let sides = Sides::of(selection, units.iter().map(start));
    let (at_pin, now) = (
        sides
            .at_pin
            .as_ref()
            .and_then(|side| rolling::query(side, days)),
        sides
            .now
            .as_ref()
            .and_then(|side| rolling::query(side, days)),
    );
    let (at_pin, now) = try_join!(
        store.rows_if::<ChangeRow>("users: active in last days at the pin", at_pin.as_ref()),
        store.rows_if::<ChangeRow>("users: active in last days", now.as_ref()),
    )?;
    let (at_pin, now) = (
        rolling::sums(at_pin, units.len()),
        rolling::sums(now, units.len()),
    );
    let both = units.into_iter().zip(at_pin.into_iter().zip(now));
    let users = both.map(
        |(unit, (at_pin, now))| match is_opened(selection, start(&unit)) {
            true => (unit, at_pin),
            false => (unit, now),
        },
    );
    Ok(users.collect())
}
