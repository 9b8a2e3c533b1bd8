use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Row;
use serde::Deserialize;

use super::{Kind, grid, read_from, units};
use crate::{
    count,
    query::{Parameters, Query},
    selection::Selection,
    source::unit_of,
    time::{Buckets, DateRange, Granularity, clamped, last_days_start},
};

/// How many users more there are from a unit of the series on.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub(super) struct ChangeRow {
    /// The number of the unit.
    pub(super) place: u64,
    pub(super) change: i64,
}

/// Distinct users of the last so many local days that end with each unit of the series; the rows are [`ChangeRow`]s.
///
/// A day on which a user is active counts for the units from `first` up to, not including, `stop`. As days follow each
/// other so do those, and a user is counted where one of them begins until it ends or the next begins; so all
/// windows together take one pass.
pub(super) fn query(selection: &Selection, days: u64) -> Option<Query> {
    let Covers {
        whole,
        pieces,
        of_pieces,
    } = Covers::of(selection, days)?;
    let seconds = of_pieces.keys().copied().collect();
    let (firsts, stops) = of_pieces.into_values().unzip();
    let mut parameters = Parameters::default();
    let rows = units::rows(
        Kind::Any,
        &grid(selection, whole.start(), whole.end()),
        &pieces,
        &selection.region,
        &mut parameters,
    );
    let piece = unit_of("at", &pieces, &mut parameters);
    let pieces = parameters.numbers("pieces", seconds);
    let firsts = parameters.numbers("firsts", firsts);
    let stops = parameters.numbers("stops", stops);
    Some(parameters.into_query(format!(
        "SELECT step.1 AS place, sum(step.2) AS change\n\
         FROM\n\
         (\n\
         SELECT toInt64(sign) AS one, arraySort(groupUniqArray((first, stop))) AS covers, \
         arrayPushBack(arrayPopFront(covers.1), toUInt64(-1)) AS nexts\n\
         FROM\n\
         (\n\
         SELECT sign, person, transform(piece, {pieces}, {firsts}, toUInt64(0)) AS first, \
         transform(piece, {pieces}, {stops}, toUInt64(0)) AS stop\n\
         FROM (SELECT sign, person, {piece} AS piece FROM\n\
         (\n\
         {rows}\n\
         ))\n\
         WHERE first < stop\n\
         )\n\
         GROUP BY sign, person\n\
         )\n\
         ARRAY JOIN arrayConcat(arrayMap(cover -> (cover.1, one), covers), \
         arrayMap((cover, next) -> (least(cover.2, next), -one), covers, nexts)) AS step\n\
         GROUP BY place"
    )))
}

/// How many users there are at each of so many places, by the changes.
pub(super) fn sums(rows: Option<Vec<ChangeRow>>, places: usize) -> Vec<u64> {
    let rows = rows.into_iter().flatten();
    let changes: HashMap<u64, i64> = rows.map(|row| (row.place, row.change)).collect();
    let mut users = 0;
    let places = (0..).take(places).map(|place| {
        users += changes.get(&place).copied().unwrap_or_default();
        count(users)
    });
    places.collect()
}

/// The days, or hours where units are as short, in which users may be active, and for which units of the series each counts.
struct Covers {
    whole: DateRange,
    pieces: Buckets,
    /// By the second in which it begins: the first unit, and the one after the last.
    of_pieces: BTreeMap<u64, (u64, u64)>,
}

impl Covers {
    /// None where there is no series, or more pieces than a statement may have.
    fn of(selection: &Selection, days: u64) -> Option<Self> {
        let (range, series) = (&selection.range, selection.series.as_ref()?);
        let ends: Vec<_> = series
            .iter()
            .map(|unit| unit.until.min(range.end()))
            .collect();
        let starts: Vec<_> = ends
            .iter()
            .map(|end| last_days_start(range.zone(), *end, days))
            .collect();
        let first = read_from(selection, clamped(*starts.first()?));
        // no event is accepted that lies more than a day ahead
        let last = range.end().min(selection.now + TimeDelta::days(2));
        let whole = DateRange::between(
            first,
            last.max(first + TimeDelta::milliseconds(1)),
            range.zone(),
        )
        .ok()?;
        let days = Buckets::pieces(&whole, Granularity::Daily).ok()?;
        let pieces = match ends
            .iter()
            .all(|end| *end >= whole.end() || days.begins_at(*end))
        {
            true => days,
            false => Buckets::pieces(&whole, Granularity::Hourly).ok()?,
        };
        let place = |instants: &[DateTime<Utc>], from| {
            u64::try_from(instants.partition_point(|at| *at <= from)).unwrap_or_default()
        };
        // all pieces before the first that can have events begin in the same second: that one is the last of them
        let of_pieces = pieces.iter().map(|piece| {
            let cover = (place(&ends, piece.from), place(&starts, piece.from));
            (piece.second(), cover)
        });
        Some(Self {
            of_pieces: of_pieces.collect(),
            whole,
            pieces,
        })
    }
}

/// Whether a statement can tell who was active in the last so many days of each unit.
pub(crate) fn is_within_reach(selection: &Selection, days: u64) -> bool {
    selection.series.is_none() || Covers::of(selection, days).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, shown};

    #[test]
    fn all_windows_take_one_pass() {
        insta::assert_snapshot!(shown(&query(&everywhere(true), 7).unwrap()));
    }

    #[test]
    fn a_day_counts_for_the_units_that_end_within_the_days_after_it() {
        let covers = Covers::of(&everywhere(true), 7).unwrap();
        let covers: Vec<(u64, u64)> = covers.of_pieces.into_values().collect();
        // six days before January, and its 31
        assert_eq!(covers.len(), 37);
        assert_eq!(covers[0], (0, 1));
        assert_eq!(covers[6], (0, 7));
        assert_eq!(covers[36], (30, 31));
    }

    #[test]
    fn what_has_too_many_days_is_out_of_reach() {
        let mut asked = everywhere(true);
        assert!(is_within_reach(&asked, 30));
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (start, end) = (at("2000-01-01T00:00:00Z"), at("2035-01-01T00:00:00Z"));
        asked.range = DateRange::between(start, end, chrono_tz::UTC).unwrap();
        asked.series = Buckets::of(&asked.range, Granularity::Monthly).ok();
        // no event lies in the future, however far the range goes
        assert!(is_within_reach(&asked, 30));
        asked.now = end;
        assert!(!is_within_reach(&asked, 30));
    }
}
