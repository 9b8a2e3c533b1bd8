use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;

use super::{
    Span,
    grid::clamped,
    local::{day_start, local_date},
};
use crate::query::Parameters;

const DAY_SECONDS: i64 = 86_400;

/// The local days of a time, for SQL to tell apart: they are days of UTC once some seconds are added, of which there
/// are others from where a clock was moved. So a century takes a few hundred numbers, and the rules of the zone are
/// those of the time, whatever the server knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalDays {
    /// From which second on, and what is added.
    shifts: Vec<(i64, i64)>,
}

impl LocalDays {
    pub(crate) fn of(span: Span, zone: Tz) -> Self {
        let end = clamped(span.until);
        let mut start = day_start(zone, local_date(zone, clamped(span.from)));
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

    /// The number of the day that a second of the time lies in.
    pub(crate) fn number_of(&self, second: i64) -> i64 {
        let at = self.shifts.partition_point(|(from, _)| *from <= second);
        let shift = self.shifts.get(at.saturating_sub(1));
        (second + shift.map_or(0, |(_, shift)| *shift)) / DAY_SECONDS
    }

    /// When the day of a number begins; of one before the first, as if no clock was moved before that.
    pub(crate) fn start_of(&self, number: u64) -> Option<DateTime<Utc>> {
        let second = i64::try_from(number).ok()?.checked_mul(DAY_SECONDS)?;
        let is_later = |(from, shift): &(i64, i64)| second - shift >= *from;
        let at = self.shifts.iter().rposition(is_later);
        let (_, shift) = self.shifts.get(at.unwrap_or_default())?;
        DateTime::from_timestamp(second - shift, 0)
    }

    /// The number of the day that a second of the time lies in, as SQL.
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
    use chrono_tz::TZ_VARIANTS;

    use super::*;
    use crate::time::{Buckets, DateRange, Granularity};

    fn span(from: &str, until: &str) -> Span {
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        Span {
            from: at(from),
            until: at(until),
        }
    }

    #[test]
    fn they_are_the_days_of_a_series_in_every_zone() {
        for zone in TZ_VARIANTS {
            let some_years = span("2009-12-31T05:00:00Z", "2013-01-02T00:00:00Z");
            let days = LocalDays::of(some_years, zone);
            let some_years = DateRange::between(some_years.from, some_years.until, zone).unwrap();
            let mut before = None;
            for day in Buckets::of(&some_years, Granularity::Daily).unwrap().iter() {
                let (first, last) = (day.from.timestamp(), day.until.timestamp() - 1);
                let own = days.number_of(first);
                assert_eq!(own, days.number_of(last), "{zone} {}", day.from);
                let number = u64::try_from(own).unwrap();
                assert_eq!(days.start_of(number), Some(day.from), "{zone}");
                assert!(
                    before.is_none_or(|before| before + 1 == own),
                    "{zone} {}",
                    day.from
                );
                before = Some(own);
                let alone = LocalDays::of(day, zone);
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
            let all = span("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z");
            assert_eq!(LocalDays::of(all, zone).shifts.len(), shifts, "{zone}");
        }
        let before = span("0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z");
        assert_eq!(LocalDays::of(before, chrono_tz::UTC).shifts.len(), 1);
    }
}
