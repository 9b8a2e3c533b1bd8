//! `/metrics/realtime`, as far as it follows from the events: the health of the pipeline does not.

use super::AnswerKey;
use super::distinct::Distinct;
use super::exact::{Amount, Hundredths, quotient};
use super::question::RegionFilter;
use super::rows::{BookingKind, Number, PaymentKind, Stamp, TripKind};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The tiles at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct RealtimeMetrics {
    pub active_users: u64,
    pub active_drivers: u64,
    pub active_trips: u64,
    pub bookings_last_hour: u64,
    pub revenue_last_hour: Amount,
    pub other_currencies: BTreeMap<&'static str, RevenueLastHour>,
    pub avg_wait_time_minutes: Option<Hundredths>,
}

/// Revenue in one other currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the name is the contract's")]
pub struct RevenueLastHour {
    pub revenue_last_hour: Amount,
}

/// `(now − length, now]`, without events whose producer's clock was ahead.
#[derive(Clone, Copy)]
struct Recent {
    now_ms: i64,
    length_ms: i64,
}

impl Recent {
    const fn holds(self, stamp: Stamp) -> bool {
        !stamp.skewed && self.now_ms - self.length_ms < stamp.at_ms && stamp.at_ms <= self.now_ms
    }
}

impl AnswerKey {
    /// The tiles at `now_ms`.
    #[must_use]
    pub fn realtime(&self, now_ms: i64, region: &RegionFilter) -> RealtimeMetrics {
        let hour = Recent {
            now_ms,
            length_ms: HOUR_MS,
        };
        let quarter = Recent {
            now_ms,
            length_ms: 15 * MINUTE_MS,
        };
        let mut money = self.revenue(hour, region);
        RealtimeMetrics {
            active_users: self.active_users(region, |stamp| quarter.holds(stamp)),
            active_drivers: self.drivers_pinging(now_ms, region),
            active_trips: self.trips_under_way(now_ms, region),
            bookings_last_hour: self.created(hour, region),
            revenue_last_hour: money.remove("NGN").unwrap_or_default().revenue_last_hour,
            other_currencies: money,
            avg_wait_time_minutes: self.wait(hour, region),
        }
    }

    fn drivers_pinging(&self, now_ms: i64, region: &RegionFilter) -> u64 {
        let recent = Recent {
            now_ms,
            length_ms: 15 * MINUTE_MS + 1,
        };
        let mut drivers = Distinct::default();
        for row in self.pings.iter().filter(|row| recent.holds(row.stamp)) {
            if let Some(standing) = region.standing(self.region(Some(row.region))) {
                drivers.add(standing, row.driver);
            }
        }
        drivers.count()
    }

    fn trips_under_way(&self, now_ms: i64, region: &RegionFilter) -> u64 {
        let recent = Recent {
            now_ms,
            length_ms: 24 * HOUR_MS + 1,
        };
        let mut started = HashSet::<Number>::new();
        let mut ended = HashSet::<Number>::new();
        for row in self
            .trips
            .iter()
            .filter(|row| region.admits(self.ride_region(row.booking)))
        {
            match row.kind {
                TripKind::Started { .. } if recent.holds(row.stamp) => {
                    started.insert(row.trip);
                }
                TripKind::Completed(_) | TripKind::Cancelled
                    if !row.stamp.skewed && row.stamp.at_ms <= now_ms =>
                {
                    ended.insert(row.trip);
                }
                _ => {}
            }
        }
        started.difference(&ended).count() as u64
    }

    fn created(&self, hour: Recent, region: &RegionFilter) -> u64 {
        let created = self
            .bookings
            .iter()
            .filter(|row| matches!(row.kind, BookingKind::Created));
        created
            .filter(|row| hour.holds(row.stamp) && region.admits(self.ride_region(row.booking)))
            .count() as u64
    }

    fn revenue(
        &self,
        hour: Recent,
        region: &RegionFilter,
    ) -> BTreeMap<&'static str, RevenueLastHour> {
        let mut money = BTreeMap::<&'static str, RevenueLastHour>::new();
        for row in self.payments.iter().filter(|row| hour.holds(row.stamp)) {
            if let PaymentKind::Success { amount, .. } = row.kind
                && region.admits(self.ride_region(row.booking))
            {
                money.entry(row.currency).or_default().revenue_last_hour.0 += amount;
            }
        }
        money
    }

    fn wait(&self, hour: Recent, region: &RegionFilter) -> Option<Hundredths> {
        let (mut sum_ms, mut count) = (0_i128, 0_i128);
        for row in self.trips.iter().filter(|row| hour.holds(row.stamp)) {
            if let TripKind::Started { wait_ms } = row.kind
                && region.admits(self.ride_region(row.booking))
            {
                sum_ms += i128::from(wait_ms);
                count += 1;
            }
        }
        quotient(sum_ms * 100, count * i128::from(MINUTE_MS)).map(Hundredths)
    }
}
