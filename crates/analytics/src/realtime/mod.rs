//! `/metrics/realtime`
//!
//! The aggregate has a row per second, named after the event's time rounded up: `(now - x, now]` is exact for a
//! whole second. Events of producers whose clocks are ahead are in none of it.
//!
#![doc = include_str!("../../definitions/realtime.md")]

mod health;
mod opened;
mod tiles;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use clickhouse::Row;
use futures::try_join;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::health::{Health, PipelineHealth, Signs};
use self::tiles::{drivers, other_currencies, tiles, trips};
use crate::{
    ask::Ask,
    cells::{Cells, Opening},
    count,
    number::{Amount, Hundredths},
    query::Query,
    region::RegionFilter,
    selection::unsettled,
};
use shared_schema::Domain;

/// The tiles of a second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Realtime {
    /// The second that they are of.
    pub timestamp: DateTime<Utc>,
    /// Distinct users named in any event of the last 15 minutes.
    pub active_users: u64,
    /// Distinct drivers whose last position is at most 15 minutes old.
    pub active_drivers: u64,
    /// Trips that started at most 24 hours ago and have not ended.
    pub active_trips: u64,
    /// Bookings created in the last 60 minutes.
    pub bookings_last_hour: u64,
    /// Successful payments of the last 60 minutes in NGN.
    pub revenue_last_hour: Amount,
    /// The same in other currencies, by ISO 4217 code.
    pub other_currencies: BTreeMap<String, RevenueLastHour>,
    /// How much later than scheduled the trips of the last 60 minutes started, on average; early is 0.
    #[schema(required)]
    pub avg_wait_time_minutes: Option<Hundredths>,
    /// What opens its counts, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
}

/// Revenue in one other currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevenueLastHour {
    /// Successful payments of the last 60 minutes.
    pub revenue_last_hour: Amount,
}

/// The second of the tiles, and where.
#[derive(Clone, Debug)]
pub struct Second {
    /// A whole second.
    now: DateTime<Utc>,
    region: RegionFilter,
    /// Where counts are to be opened. They are then those of stored events at its pin.
    opening: Option<Arc<Opening>>,
    /// Whether the caller sees settled events alone.
    sees_settled_only: bool,
}

/// What [`tiles`] answers.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
struct TilesRow {
    users: i64,
    bookings_created: i64,
    revenue: i128,
    wait_ms: i64,
    trips_started: i64,
}

/// A row of [`other_currencies`].
#[derive(Clone, Debug, Row, Deserialize)]
struct CurrencyRow {
    currency: String,
    revenue: i128,
}

const MINUTE_MS: u32 = 60_000;

impl Second {
    /// The whole second before or at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>, region: RegionFilter) -> Self {
        Self {
            now: now.trunc_subsecs(0),
            region,
            opening: None,
            sees_settled_only: false,
        }
    }

    /// The same with counts that can be opened, by a caller who sees settled events alone or others too.
    #[must_use]
    pub fn opened(self, opening: Arc<Opening>, sees_settled_only: bool) -> Self {
        Self {
            opening: Some(opening),
            sees_settled_only,
            ..self
        }
    }

    /// Counts the facts that no regional tile holds yet, if a region is asked of.
    #[must_use]
    pub fn unsettled_facts(&self) -> Option<Query> {
        let start = self.now - TimeDelta::days(1);
        let count = || unsettled(&Domain::ALL, start, self.now + TimeDelta::seconds(1));
        self.region.is_regional().then(count)
    }
}

/// Asks for the tiles.
///
/// # Errors
/// When a statement is not answered.
pub async fn ask<A: Ask>(store: &A, second: &Second) -> Result<Realtime, A::Error> {
    let (tiles, drivers) = (tiles(second), drivers(second));
    let (trips, others) = (trips(second), other_currencies(second));
    let (tiles, drivers, trips, others) = try_join!(
        store.row("realtime: tiles", &tiles),
        store.row("realtime: drivers", &drivers),
        store.row("realtime: trips", &trips),
        store.rows("realtime: other currencies", &others),
    )?;
    let realtime = assemble(second, &tiles, drivers, trips, others);
    let Some(opening) = &second.opening else {
        return Ok(realtime);
    };
    let opened = opened::ask(store, second, opening).await?;
    Ok(Realtime {
        active_users: count(opened.active_users),
        active_drivers: count(opened.active_drivers),
        active_trips: count(opened.active_trips),
        bookings_last_hour: count(opened.bookings_last_hour),
        cells: Some(opened.cells),
        ..realtime
    })
}

/// The tiles that the answers tell.
fn assemble(
    second: &Second,
    tiles: &TilesRow,
    drivers: i64,
    trips: i64,
    others: Vec<CurrencyRow>,
) -> Realtime {
    let started = count(tiles.trips_started);
    let others = others.into_iter().map(|row| {
        (
            row.currency,
            RevenueLastHour {
                revenue_last_hour: Amount::of_hundredths(row.revenue),
            },
        )
    });
    Realtime {
        timestamp: second.now,
        active_users: count(tiles.users),
        active_drivers: count(drivers),
        active_trips: count(trips),
        bookings_last_hour: count(tiles.bookings_created),
        revenue_last_hour: Amount::of_hundredths(tiles.revenue),
        other_currencies: others.collect(),
        avg_wait_time_minutes: Hundredths::mean(count(tiles.wait_ms), MINUTE_MS, started),
        cells: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_of_a_whole_second() {
        let now = DateTime::parse_from_rfc3339("2024-06-15T10:20:30.999Z")
            .unwrap()
            .to_utc();
        let second = Second::at(now, RegionFilter::Everywhere);
        let row = TilesRow {
            wait_ms: 90_000,
            trips_started: 2,
            revenue: 150,
            ..TilesRow::default()
        };
        let dollars = CurrencyRow {
            currency: "USD".to_owned(),
            revenue: 5,
        };
        let json = serde_json::to_value(assemble(&second, &row, 3, 4, vec![dollars])).unwrap();
        assert_eq!(json["timestamp"], "2024-06-15T10:20:30Z");
        assert_eq!(json["avg_wait_time_minutes"], 0.75);
        assert_eq!(json["revenue_last_hour"], "1.50");
        assert_eq!(json["other_currencies"]["USD"]["revenue_last_hour"], "0.05");
    }
}
