use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;

use super::{Kind, units};
use crate::{
    query::{Parameters, Query},
    selection::Selection,
    source::unit_of,
    time::{Buckets, DateRange, Granularity, Grid},
};

/// How many users more there are from a unit of the series on.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub(crate) struct ChangeRow {
    /// The number of the unit.
    pub(crate) place: u64,
    pub(crate) change: i64,
}

/// Distinct users of the last so many local days that end with each unit of the series; the rows are [`ChangeRow`]s.
///
/// A day on which a user is active counts for the units from `first` up to, not including, `stop`. As days follow each
/// other so do those, and a user is counted where one of them begins until it ends or the next begins; so all
/// windows together take one pass.
pub(crate) fn rolling(selection: &Selection, days: u64) -> Option<Query> {
    let (range, series) = (&selection.range, selection.series.as_ref()?);
    let ends: Vec<_> = series
        .iter()
        .map(|unit| unit.until.min(range.end()))
        .collect();
    let starts: Vec<_> = ends
        .iter()
        .filter_map(|end| DateRange::between(range.start().min(*end), *end, range.zone()).ok())
        .map(|window| window.last_days_start(days))
        .collect();
    let whole = DateRange::between(*starts.first()?, range.end(), range.zone()).ok()?;
    let days = Buckets::without_limit(&whole, Granularity::Daily);
    let pieces = match ends
        .iter()
        .all(|end| *end == range.end() || days.begins_at(*end))
    {
        true => days,
        false => Buckets::without_limit(&whole, Granularity::Hourly),
    };
    let place = |instants: &[DateTime<Utc>], from| {
        u64::try_from(instants.partition_point(|at| *at <= from)).unwrap_or_default()
    };
    // all pieces before the first that can have events begin in the same second: that one is the last of them
    let covers: BTreeMap<u64, (u64, u64)> = pieces
        .iter()
        .map(|piece| {
            (
                piece.second(),
                (place(&ends, piece.from), place(&starts, piece.from)),
            )
        })
        .collect();
    let seconds = covers.keys().copied().collect();
    let (firsts, stops) = covers.into_values().unzip();
    let mut parameters = Parameters::default();
    let rows = units::rows(
        Kind::Any,
        &Grid::of(&whole),
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
