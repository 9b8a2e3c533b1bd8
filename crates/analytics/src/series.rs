//! Time series: one point per calendar unit, gaps filled.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    cells::{Cells, Counted},
    selection::Selection,
    time::Span,
};

/// One point of a time series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Point<T> {
    /// When the calendar unit begins, RFC 3339 on the local clock. Only its part inside the range is counted.
    #[schema(example = "2024-01-31T00:00:00+01:00")]
    pub start: String,
    /// Whether the unit is not over yet, or reaches beyond the end of the range.
    pub partial: bool,
    /// The metrics of the unit.
    #[serde(flatten)]
    pub values: T,
    /// What opens its counts, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
}

/// A row of the whole range, which is unit 0, or of the unit of a series that begins at a second.
pub(crate) trait OfUnit {
    /// Seconds since 1970, or 0.
    fn unit(&self) -> u64;
}

/// What the rows tell of the whole range, and of each point of the series if one is wanted.
pub(crate) fn totals<R: OfUnit, T: Default>(
    selection: &Selection,
    counted: &[Counted],
    rows: Vec<R>,
    of: impl Fn(&R) -> T,
) -> (T, Option<Vec<Point<T>>>) {
    let (whole, units): (Vec<R>, Vec<R>) = rows.into_iter().partition(|row| row.unit() == 0);
    let units = units.into_iter().map(|row| (row.unit(), row));
    let points = points(selection, counted, units, |_, row| {
        row.map(&of).unwrap_or_default()
    });
    (whole.first().map(of).unwrap_or_default(), points)
}

/// The points of a selection's series from what is known of some units, by the second in which they begin.
///
/// The series ends with the unit of the present, or with the last unit that has events, if producers' clocks are
/// ahead. `counted` names what of a point can be opened. `make` gets the unit and what is known of it.
pub(crate) fn points<R, T>(
    selection: &Selection,
    counted: &[Counted],
    rows: impl IntoIterator<Item = (u64, R)>,
    make: impl Fn(Span, Option<&R>) -> T,
) -> Option<Vec<Point<T>>> {
    let buckets = selection.series.as_ref()?;
    let known: BTreeMap<usize, R> = rows
        .into_iter()
        .filter_map(|(second, row)| Some((buckets.position(second)?, row)))
        .collect();
    let begun = buckets
        .iter()
        .take_while(|unit| unit.from <= selection.now)
        .count();
    let shown = begun.max(known.keys().next_back().map_or(0, |last| last + 1));
    let points = buckets
        .iter()
        .take(shown)
        .enumerate()
        .map(|(index, unit)| Point {
            start: start_of(selection, unit.from),
            partial: unit.until > selection.range.end().min(selection.now),
            values: make(unit, known.get(&index)),
            cells: selection.cells(counted, &selection.part(unit)),
        });
    Some(points.collect())
}

fn start_of(selection: &Selection, at: DateTime<Utc>) -> String {
    at.with_timezone(&selection.range.zone())
        .to_rfc3339_opts(SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        region::RegionFilter,
        time::{Buckets, DateRange, Granularity},
    };

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn days(now: &str) -> Selection {
        let range = DateRange::between(
            at("2024-01-01T12:00:00+01:00"),
            at("2024-01-04T00:00:00+01:00"),
            chrono_tz::Africa::Lagos,
        )
        .unwrap();
        Selection {
            range,
            region: RegionFilter::Everywhere,
            series: Some(Buckets::of(&range, Granularity::Daily).unwrap()),
            now: at(now),
            opening: None,
        }
    }

    fn shown(selection: &Selection, rows: &[(&str, u64)]) -> Vec<(String, bool, u64)> {
        let rows = rows
            .iter()
            .map(|(start, value)| (u64::try_from(at(start).timestamp()).unwrap(), *value));
        let points = points(selection, &[], rows, |_, value| {
            value.copied().unwrap_or_default()
        })
        .unwrap();
        points
            .into_iter()
            .map(|point| (point.start, point.partial, point.values))
            .collect()
    }

    #[test]
    fn gaps_are_filled() {
        let points = shown(
            &days("2024-02-01T00:00:00Z"),
            &[("2024-01-03T00:00:00+01:00", 7)],
        );
        let expected = [
            ("2024-01-01", false, 0),
            ("2024-01-02", false, 0),
            ("2024-01-03", false, 7),
        ];
        assert_eq!(
            points,
            expected.map(|(day, partial, value)| (format!("{day}T00:00:00+01:00"), partial, value))
        );
    }

    #[test]
    fn the_series_ends_with_the_unfinished_unit() {
        let points = shown(&days("2024-01-02T10:00:00Z"), &[]);
        assert_eq!(points.len(), 2);
        assert_eq!(
            points.iter().map(|point| point.1).collect::<Vec<_>>(),
            [false, true]
        );
    }

    #[test]
    fn events_of_clocks_that_are_ahead_are_shown() {
        let points = shown(
            &days("2024-01-02T10:00:00Z"),
            &[("2024-01-03T00:00:00+01:00", 1)],
        );
        assert_eq!(
            points.iter().map(|point| point.2).collect::<Vec<_>>(),
            [0, 0, 1]
        );
    }
}
