use chrono::TimeDelta;

use super::Second;
use crate::{
    query::{Parameters, Query},
    source::{Slice, facts},
    time::Span,
};
use shared_schema::Domain;

pub(super) const QUARTER: TimeDelta = TimeDelta::minutes(15);
pub(super) const HOUR: TimeDelta = TimeDelta::hours(1);
pub(super) const DAY: TimeDelta = TimeDelta::hours(24);
pub(super) const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

/// The tiles that the aggregate of seconds holds; the one row is a [`TilesRow`](super::TilesRow).
pub(super) fn tiles(second: &Second) -> Query {
    let mut parameters = Parameters::default();
    let now = parameters.time("now", second.now);
    let hour = parameters.time("hour", second.now - HOUR);
    let quarter = parameters.time("quarter", second.now - QUARTER);
    let regions = second.region.stored(&mut parameters);
    let recent = format!("second > toDateTime({quarter})");
    let sql = format!(
        "SELECT toInt64(uniqExactMergeIf(users, sign = 1 AND {recent})) - toInt64(uniqExactMergeIf(users, \
         sign = -1 AND {recent})) AS users, sum(sign * created) AS bookings_created, \
         sum(sign * received) AS revenue, sum(sign * waited) AS wait_ms, sum(sign * started) AS trips_started\n\
         FROM\n\
         (\n\
         SELECT second, {sign} AS sign, users, bookings_created AS created, revenue AS received, \
         wait_ms AS waited, trips_started AS started\n\
         FROM agg_realtime\n\
         WHERE second > toDateTime({hour}) AND second <= toDateTime({now}) AND {regions}\n\
         )",
        sign = second.region.stored_sign(),
    );
    parameters.into_query(sql)
}

/// The distinct drivers whose position is at most 15 minutes old; one number.
///
/// The aggregate holds `(now - 15 min, now]`; a position exactly 15 minutes old is looked up.
pub(super) fn drivers(second: &Second) -> Query {
    let mut parameters = Parameters::default();
    let now = parameters.time("now", second.now);
    let quarter = parameters.time("quarter", second.now - QUARTER);
    let edge = second.now - QUARTER;
    let edge = Slice::head(Span {
        from: edge,
        until: edge + MILLISECOND,
    });
    let sql = format!(
        "SELECT toInt64(uniqExactMergeIf(pinging, sign = 1)) - toInt64(uniqExactMergeIf(pinging, sign = -1))\n\
         FROM\n\
         (\n\
         SELECT {stored_sign} AS sign, drivers AS pinging\n\
         FROM agg_realtime\n\
         WHERE second > toDateTime({quarter}) AND second <= toDateTime({now}) AND {stored}\n\
         UNION ALL\n\
         SELECT {fact_sign} AS sign, uniqExactState(driver_id) AS pinging\n\
         FROM {facts}\n\
         WHERE NOT clock_skew AND {regions}\n\
         GROUP BY sign\n\
         )",
        stored_sign = second.region.stored_sign(),
        stored = second.region.stored(&mut parameters),
        fact_sign = second.region.fact_sign(),
        facts = facts(Domain::Location, edge, &second.region, &mut parameters),
        regions = second.region.facts(&mut parameters),
    );
    parameters.into_query(sql)
}

/// The trips under way; one number.
pub(super) fn trips(second: &Second) -> Query {
    let mut parameters = Parameters::default();
    let now = parameters.time("now", second.now);
    let day = parameters.time("day", second.now - DAY);
    let (rows, there) = second.region.things(&mut parameters);
    parameters.into_query(format!(
        "SELECT toInt64(count())\n\
         FROM\n\
         (\n\
         SELECT maxIf(started_at, scope = 'total') AS started, maxIf(ended_at, scope = 'total') AS ended\n\
         FROM trip_progress\n\
         WHERE {rows}\n\
         GROUP BY trip_id\n\
         HAVING ifNull(started >= {day} AND started <= {now}, false) AND ifNull(ended > {now}, true) \
         AND {there}\n\
         )"
    ))
}

/// The revenue of the last hour in other currencies than NGN; the rows are [`CurrencyRow`](super::CurrencyRow)s.
/// They are few, so that the stored events are read.
pub(super) fn other_currencies(second: &Second) -> Query {
    let mut parameters = Parameters::default();
    let hour = Slice::head(Span {
        from: second.now - HOUR + MILLISECOND,
        until: second.now + MILLISECOND,
    });
    let sql = format!(
        "SELECT money AS currency, sum(sign * price) AS revenue\n\
         FROM\n\
         (\n\
         SELECT toString(currency) AS money, {sign} AS sign, toDecimal128(ifNull(amount, 0), 2) AS price\n\
         FROM {facts}\n\
         WHERE event_type = 'payment.success' AND currency != 'NGN' AND NOT clock_skew AND {regions}\n\
         )\n\
         GROUP BY money\n\
         HAVING sum(sign) > 0",
        sign = second.region.fact_sign(),
        facts = facts(Domain::Payment, hour, &second.region, &mut parameters),
        regions = second.region.facts(&mut parameters),
    );
    parameters.into_query(sql)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::{
        region::{RegionFilter, Unknown},
        tests::shown,
    };

    fn at(region: RegionFilter) -> Second {
        let now: DateTime<Utc> = DateTime::parse_from_rfc3339("2024-06-15T10:20:30Z")
            .unwrap()
            .to_utc();
        Second::at(now, region)
    }

    #[test]
    fn the_aggregate_is_read_by_whole_seconds() {
        insta::assert_snapshot!("tiles", shown(&tiles(&at(RegionFilter::Everywhere))));
        insta::assert_snapshot!("drivers", shown(&drivers(&at(RegionFilter::Everywhere))));
        insta::assert_snapshot!("trips", shown(&trips(&at(RegionFilter::Everywhere))));
        insta::assert_snapshot!(
            "currencies",
            shown(&other_currencies(&at(RegionFilter::Everywhere)))
        );
    }

    #[test]
    fn whether_a_trip_of_a_region_is_over_its_total_tells() {
        let lagos = at(RegionFilter::parse(Some("Lagos"), None).unwrap());
        insta::assert_snapshot!("trips_in_lagos", shown(&trips(&lagos)));
    }

    #[test]
    fn the_unknown_region_is_what_is_in_no_known_one() {
        let unknown = at(RegionFilter::Remainder(Unknown::State));
        insta::assert_snapshot!("tiles_unknown", shown(&tiles(&unknown)));
        insta::assert_snapshot!("trips_unknown", shown(&trips(&unknown)));
    }
}
