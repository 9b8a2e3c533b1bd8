//! `/analytics/trends`

use super::super::AnswerKey;
use super::super::calendar::{self, Granularity};
use super::super::question::{Question, Range};
use super::super::series::Point;
use chrono::{
    Datelike, Days, MappedLocalTime, Months, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone,
};
use serde::Serialize;
use serde_json::{Value, json};

/// One metric over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrendMetrics {
    /// Over the whole range.
    pub value: Value,
    /// Over each unit that has begun.
    pub time_series: Vec<Point<TrendPoint>>,
    /// The same of the period before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_period: Option<Box<TrendMetrics>>,
}

/// One metric over a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrendPoint {
    /// Its value.
    pub value: Value,
}

impl AnswerKey {
    /// A metric over the units of the question's range, and of the period before: each as if it were asked for alone.
    #[must_use]
    pub fn trend(
        &self,
        question: &Question,
        metric: &str,
        unit: Granularity,
        with_previous: bool,
    ) -> TrendMetrics {
        let range = question.range;
        let mut time_series = Vec::new();
        let mut units = 0;
        let mut start = calendar::bucket_start(range.zone, unit, range.start_ms);
        while start < range.end_ms {
            let end = calendar::next_bucket(range.zone, unit, start);
            let part = Range {
                start_ms: start.max(range.start_ms),
                end_ms: end.min(range.end_ms),
                ..range
            };
            if start <= question.now_ms {
                time_series.push(Point {
                    start: calendar::local(range.zone, start)
                        .to_rfc3339_opts(SecondsFormat::Secs, false),
                    partial: end > range.end_ms.min(question.now_ms),
                    values: TrendPoint {
                        value: self.value(question, part, metric),
                    },
                });
            }
            units += 1;
            start = end;
        }
        let previous_period = with_previous.then(|| {
            let before = Question {
                range: moved_back(range, unit, units),
                ..question.clone()
            };
            Box::new(self.trend(&before, metric, unit, false))
        });
        TrendMetrics {
            value: self.value(question, range, metric),
            time_series,
            previous_period,
        }
    }

    /// A metric over a range.
    fn value(&self, question: &Question, range: Range, metric: &str) -> Value {
        let question = Question {
            range,
            granularity: None,
            ..question.clone()
        };
        let fields = match metric {
            "active_users" => {
                let within = |at: i64| range.contains(at);
                return json!(self.active_users(&question.region, |at| within(at.at_ms)));
            }
            "dau"
            | "wau"
            | "mau"
            | "new_registrations"
            | "total_users"
            | "kyc_completion_rate"
            | "driver_activation_rate" => json!(self.users(&question)),
            _ => {
                let all = [
                    json!(self.bookings(&question)),
                    json!(self.payments(&question)),
                    json!(self.trips(&question)),
                ];
                let named = all.into_iter().find(|fields| fields.get(metric).is_some());
                named.unwrap_or_default()
            }
        };
        fields.get(metric).cloned().unwrap_or_default()
    }
}

/// The range so many units earlier on the local clock.
fn moved_back(range: Range, unit: Granularity, units: u32) -> Range {
    if unit == Granularity::Hourly {
        let back_ms = i64::from(units) * 3_600_000;
        let (start_ms, end_ms) = (range.start_ms - back_ms, range.end_ms - back_ms);
        return Range {
            start_ms,
            end_ms,
            ..range
        };
    }
    let clock = |at_ms: i64| calendar::local(range.zone, at_ms).naive_local();
    let (start, end) = (clock(range.start_ms), clock(range.end_ms));
    let (start, end) = match unit {
        Granularity::Monthly => {
            // the day of the month that it is so many months before, if that month has it
            let before = |clock: NaiveDateTime| {
                let first = clock.date() - Days::new(clock.day0().into()) - Months::new(units);
                let (day, next) = (
                    first + Days::new(clock.day0().into()),
                    first + Months::new(1),
                );
                (day < next).then(|| day.and_time(clock.time())).ok_or(next)
            };
            let last = before(end).unwrap_or_else(|next| next.and_time(NaiveTime::MIN));
            match before(start) {
                Ok(first) => (first, last),
                Err(next) => {
                    let first = (next - Days::new(1)).and_time(start.time());
                    let as_long = first + (end - start);
                    (first, if units == 1 { last.min(as_long) } else { last })
                }
            }
        }
        unit => {
            let days = if unit == Granularity::Weekly { 7 } else { 1 };
            let back = Days::new(days * u64::from(units));
            (start - back, end - back)
        }
    };
    let instant = |clock: NaiveDateTime| match range.zone.from_local_datetime(&clock) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.timestamp_millis(),
        // in the tests' zones a clock skips an hour at midnight, if it skips any
        MappedLocalTime::None => calendar::day_start(range.zone, clock.date()),
    };
    Range {
        start_ms: instant(start),
        end_ms: instant(end),
        ..range
    }
}
