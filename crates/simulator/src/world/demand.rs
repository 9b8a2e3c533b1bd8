//! When people travel: the rush hours of Lagos, weekends, and the roads that fill with them.

use crate::dice::{Dice, Subject, whole};
use chrono::{DateTime, Datelike, Timelike};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Nigeria keeps UTC+1 all year.
pub(crate) const LAGOS_MS: i64 = HOUR_MS;

/// How demand goes through the day and the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Rush hours in the morning and the evening of working days, later and flatter weekends.
    Weekly,
    /// The same at every hour.
    Steady,
}

#[rustfmt::skip]
const WORKDAY: [u32; 24] = [
    6, 4, 3, 3, 8, 30, 78, 100, 84, 55, 42, 40, 44, 43, 42, 50, 70, 96, 98, 80, 55, 36, 22, 12,
];
#[rustfmt::skip]
const SATURDAY: [u32; 24] = [
    10, 7, 4, 3, 4, 9, 20, 32, 44, 56, 62, 64, 62, 60, 60, 62, 66, 70, 72, 68, 60, 48, 36, 22,
];
#[rustfmt::skip]
const SUNDAY: [u32; 24] = [
    14, 9, 5, 3, 3, 6, 18, 44, 58, 50, 36, 40, 52, 48, 40, 38, 42, 48, 46, 38, 28, 20, 13, 8,
];

/// Relative demand in the hour of an instant.
fn hourly_weight(shape: Shape, instant_ms: i64) -> u32 {
    if shape == Shape::Steady {
        return 1;
    }
    let clock = DateTime::from_timestamp_millis(instant_ms + LAGOS_MS).unwrap_or_default();
    let day = match clock.weekday().num_days_from_monday() {
        5 => &SATURDAY,
        6 => &SUNDAY,
        _ => &WORKDAY,
    };
    day.get(clock.hour() as usize).copied().unwrap_or_default()
}

/// How fast a car gets on: in town between 13 and 38 km/h, the fuller the road, the slower; 70 km/h on the highway.
pub(crate) fn road_speed_kmh(instant_ms: i64, kilometres: f64) -> f64 {
    if kilometres > 40.0 {
        return 70.0;
    }
    38.0 - 0.25 * f64::from(hourly_weight(Shape::Weekly, instant_ms))
}

/// The instants at which bookings are made, in order.
///
/// The n-th of N bookings falls where n/N of the demand of the span has passed, give or take a little; so the
/// shape is kept for any N, and no booking depends on how another one went.
#[derive(Debug, Clone)]
pub(crate) struct Demand {
    shape: Shape,
    dice: Dice,
    bookings: u64,
    next: u64,
    end_ms: i64,
    /// The part of an hour in which the next bookings fall.
    hour_start_ms: i64,
    /// Demand before that hour, and in it, in weight × ms.
    passed: i128,
    total: i128,
}

impl Demand {
    pub(crate) fn new(seed: u64, shape: Shape, start_ms: i64, end_ms: i64, bookings: u64) -> Self {
        let mut demand = Self {
            shape,
            dice: Dice::new(seed, Subject::Demand, 0),
            bookings,
            next: 0,
            end_ms,
            hour_start_ms: start_ms,
            passed: 0,
            total: 0,
        };
        let mut hour_ms = start_ms;
        while hour_ms < end_ms {
            demand.total += demand.in_hour(hour_ms);
            hour_ms = demand.hour_end(hour_ms);
        }
        demand
    }

    fn hour_end(&self, hour_start_ms: i64) -> i64 {
        ((hour_start_ms.div_euclid(HOUR_MS) + 1) * HOUR_MS).min(self.end_ms)
    }

    fn in_hour(&self, hour_start_ms: i64) -> i128 {
        let length_ms = self.hour_end(hour_start_ms) - hour_start_ms;
        i128::from(hourly_weight(self.shape, hour_start_ms)) * i128::from(length_ms)
    }
}

impl Iterator for Demand {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        if self.next >= self.bookings || self.total == 0 {
            return None;
        }
        // A millionth is fine enough to place a booking within its share.
        let jitter = whole(self.dice.unit() * 1e6).clamp(0, 999_999);
        let place = i128::from(self.next) * 1_000_000 + i128::from(jitter);
        let wanted = place * self.total / (i128::from(self.bookings) * 1_000_000);
        while self.passed + self.in_hour(self.hour_start_ms) <= wanted {
            self.passed += self.in_hour(self.hour_start_ms);
            self.hour_start_ms = self.hour_end(self.hour_start_ms);
        }
        self.next += 1;
        let weight = i128::from(hourly_weight(self.shape, self.hour_start_ms)).max(1);
        let into_hour = i64::try_from((wanted - self.passed) / weight).unwrap_or_default();
        Some(self.hour_start_ms + into_hour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Monday 2024-01-01, midnight in Lagos.
    const MONDAY_MS: i64 = 1_704_063_600_000;
    const DAY_MS: i64 = 24 * HOUR_MS;

    #[test]
    fn bookings_come_in_order_within_the_span_and_all_of_them() {
        let times: Vec<i64> =
            Demand::new(1, Shape::Weekly, MONDAY_MS, MONDAY_MS + 7 * DAY_MS, 10_000).collect();
        assert_eq!(times.len(), 10_000);
        assert!(times.is_sorted());
        assert!(
            times
                .iter()
                .all(|time| (MONDAY_MS..MONDAY_MS + 7 * DAY_MS).contains(time))
        );
    }

    #[test]
    fn rush_hours_are_busier_than_nights_in_proportion() {
        let times: Vec<i64> =
            Demand::new(1, Shape::Weekly, MONDAY_MS, MONDAY_MS + DAY_MS, 11_010).collect();
        let in_hour = |hour: i64| {
            let start = MONDAY_MS + hour * HOUR_MS;
            times
                .iter()
                .filter(|time| (start..start + HOUR_MS).contains(time))
                .count()
        };
        // A working day's weights sum to 1,101.
        assert!((999..=1_001).contains(&in_hour(7)), "{}", in_hour(7));
        assert!((29..=31).contains(&in_hour(2)), "{}", in_hour(2));
    }

    #[test]
    fn a_steady_hour_is_as_busy_as_any_other() {
        let times: Vec<i64> =
            Demand::new(1, Shape::Steady, MONDAY_MS, MONDAY_MS + DAY_MS, 2_400).collect();
        let night = times
            .iter()
            .filter(|time| **time < MONDAY_MS + HOUR_MS)
            .count();
        assert!((99..=101).contains(&night), "{night}");
    }
}
