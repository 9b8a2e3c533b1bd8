use chrono::Days;

use super::{
    DateRange,
    grid::clamped,
    local::{day_start, local_date},
};
use crate::query::Parameters;

const DAY_SECONDS: i64 = 86_400;

/// The local days of a range, for SQL to tell apart: they are days of UTC once some seconds are added, of which there
/// are others from where a clock was moved. So a century takes a few hundred numbers, and the rules of the zone are
/// those of the range, whatever the server knows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalDays {
    /// From which second on, and what is added.
    shifts: Vec<(i64, i64)>,
}

impl LocalDays {
    pub(crate) fn of(range: &DateRange) -> Self {
        let (zone, end) = (range.zone(), clamped(range.end()));
        let mut start = day_start(zone, local_date(zone, clamped(range.start())));
        // What is added to the first day is more than any clock was ever moved.
        let mut number = start.timestamp() / DAY_SECONDS + 3;
        let mut shifts = vec![(start.timestamp(), number * DAY_SECONDS - start.timestamp())];
        loop {
            start = day_start(zone, local_date(zone, start) + Days::new(1));
            number += 1;
            let (second, shift) = (start.timestamp(), number * DAY_SECONDS - start.timestamp());
            let before = shifts.last().map_or(shift, |(_, before)| *before);
            if shift != before {
                // What a day has beyond 24 hours is part of it.
                let longer = (before - shift).max(0);
                shifts.push((second - longer, shift));
            }
            if start >= end {
                return Self { shifts };
            }
        }
    }

    /// The number of the day that a second of the range lies in.
    pub(crate) fn number_of(&self, second: i64) -> i64 {
        let at = self.shifts.partition_point(|(from, _)| *from <= second);
        let shift = self.shifts.get(at.saturating_sub(1));
        (second + shift.map_or(0, |(_, shift)| *shift)) / DAY_SECONDS
    }

    /// The number of the day that a second of the range lies in, as SQL.
    pub(crate) fn number(&self, second: &str, parameters: &mut Parameters) -> String {
        let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
        let (from, shifts): (Vec<u64>, Vec<u64>) = self
            .shifts
            .iter()
            .map(|(from, shift)| (unsigned(*from), unsigned(*shift)))
            .unzip();
        match shifts.as_slice() {
            [shift] => {
                let shift = parameters.number("day_shift", *shift);
                format!("intDiv({second} + {shift}, 86400)")
            }
            _ => {
                let from = parameters.numbers("days_from", from);
                let shifts = parameters.numbers("day_shifts", shifts);
                format!(
                    "intDiv({second} + transform(roundDown({second}, {from}), {from}, {shifts}, toUInt64(0)), 86400)"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use chrono_tz::{TZ_VARIANTS, Tz};

    use super::*;
    use crate::time::{Buckets, Granularity};

    fn range(start: &str, end: &str, zone: Tz) -> DateRange {
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        DateRange::between(at(start), at(end), zone).unwrap()
    }

    #[test]
    fn they_are_the_days_of_a_series_in_every_zone() {
        for zone in TZ_VARIANTS {
            let some_years = range("2009-12-31T05:00:00Z", "2013-01-02T00:00:00Z", zone);
            let days = LocalDays::of(&some_years);
            let mut before = None;
            for day in Buckets::of(&some_years, Granularity::Daily).unwrap().iter() {
                let (first, last) = (day.from.timestamp(), day.until.timestamp() - 1);
                let own = days.number_of(first);
                assert_eq!(own, days.number_of(last), "{zone} {}", day.from);
                assert!(
                    before.is_none_or(|before| before + 1 == own),
                    "{zone} {}",
                    day.from
                );
                before = Some(own);
                let alone = DateRange::between(day.from, day.until, zone).unwrap();
                let alone = LocalDays::of(&alone);
                assert_eq!(
                    alone.number_of(first),
                    alone.number_of(last),
                    "{zone} {}",
                    day.from
                );
            }
        }
    }

    #[test]
    fn a_century_takes_few_numbers() {
        for (zone, shifts) in [
            (chrono_tz::UTC, 1),
            (chrono_tz::Africa::Lagos, 1),
            (chrono_tz::Europe::Berlin, 201),
        ] {
            let all = range("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", zone);
            assert_eq!(LocalDays::of(&all).shifts.len(), shifts, "{zone}");
        }
        let before = range(
            "0001-01-01T00:00:00Z",
            "0002-01-01T00:00:00Z",
            chrono_tz::UTC,
        );
        assert_eq!(LocalDays::of(&before).shifts.len(), 1);
    }
}
