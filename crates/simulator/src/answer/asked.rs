//! Questions in the words of the key and of the API, so that one can be compared with the other.

use super::{
    AnswerKey, Breakdown, Funnel, Granularity, Measure, Mode, Order, Question, UserType,
    differences,
};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A question to the key, and the same to the API.
#[derive(Debug, Clone)]
pub struct Asked {
    /// To the key.
    pub question: Question,
    range: String,
    region: String,
    series: String,
}

/// What the API must say.
#[derive(Debug)]
pub struct Told {
    /// Path and parameters of the request.
    pub path: String,
    expected: Value,
}

/// A name as it may stand in a query.
#[must_use]
pub fn encoded(name: &str) -> String {
    name.replace(' ', "%20").replace('/', "%2F")
}

impl Asked {
    /// Everything from `start` up to `end`, in all regions, without a series, asked at `now`.
    #[must_use]
    pub fn over(start: DateTime<Utc>, end: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> Self {
        let question = Question::over(start.timestamp_millis(), end.timestamp_millis(), zone)
            .asked_at(now.timestamp_millis());
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let (first, last) = (text(start), text(end - Duration::milliseconds(1)));
        Self {
            question,
            range: format!("start_date={first}&end_date={last}&tz={zone}"),
            region: String::new(),
            series: String::new(),
        }
    }

    /// The same with a time series.
    #[must_use]
    pub fn by(self, granularity: Granularity) -> Self {
        let name = format!("{granularity:?}").to_lowercase();
        Self {
            question: self.question.by(granularity),
            series: format!("&include_time_series=true&granularity={name}"),
            ..self
        }
    }

    /// The same of one region, of which nothing need be given.
    #[must_use]
    pub fn in_region(mut self, state: Option<&str>, city: Option<&str>) -> Self {
        if let Some(state) = state {
            self.question = self.question.in_state(state);
            let _ = write!(self.region, "&state={}", encoded(state));
        }
        if let Some(city) = city {
            self.question = self.question.in_city(city);
            let _ = write!(self.region, "&city={}", encoded(city));
        }
        self
    }

    /// Range and region.
    #[must_use]
    pub fn parameters(&self) -> String {
        format!("{}{}", self.range, self.region)
    }

    /// What each metric of a range must be.
    #[must_use]
    pub fn metrics(&self, key: &AnswerKey) -> Vec<Told> {
        let question = &self.question;
        let mut told = Vec::new();
        let with_series = [
            ("users", json!(key.users(question))),
            ("bookings", json!(key.bookings(question))),
            ("payments", json!(key.payments(question))),
            ("trips", json!(key.trips(question))),
        ];
        told.extend(
            with_series.map(|(metric, expected)| self.told(metric, &self.series, expected)),
        );
        told.extend([7, 1000].map(|limit| {
            let expected = json!(key.drivers(question, limit));
            self.told("drivers", &format!("&limit={limit}"), expected)
        }));
        told.extend([5, 500].map(|limit| {
            let expected = json!(key.routes(question, limit));
            self.told("routes", &format!("&limit={limit}"), expected)
        }));
        told
    }

    /// The same with everything arrived that happened before an instant.
    #[must_use]
    pub fn complete_through(self, complete: DateTime<Utc>) -> Self {
        Self {
            question: self.question.complete_through(complete.timestamp_millis()),
            ..self
        }
    }

    /// What a funnel must be.
    #[must_use]
    pub fn funnel(&self, key: &AnswerKey, funnel: &Funnel) -> Told {
        let order = match funnel.order {
            Order::Ordered => "ordered",
            Order::Strict => "strict",
            Order::Unordered => "unordered",
        };
        let breakdown = match funnel.breakdown {
            None => "",
            Some(Breakdown::State) => "&breakdown=state",
            Some(Breakdown::City) => "&breakdown=city",
            Some(Breakdown::Role) => "&breakdown=role",
            Some(Breakdown::PaymentMethod) => "&breakdown=payment_method",
        };
        let (steps, window) = (funnel.steps.join(","), funnel.window_ms);
        let more = format!("&steps={steps}&order={order}&window={window}ms{breakdown}");
        self.analysis("funnel", &more, json!(key.funnel(&self.question, funnel)))
    }

    /// What cohorts must be.
    #[must_use]
    pub fn cohorts(&self, key: &AnswerKey, unit: Granularity, periods: usize) -> Told {
        let name = format!("{unit:?}").to_lowercase();
        let expected = json!(key.cohorts(&self.question, unit, periods));
        let more = format!("&cohort_type={name}&periods={periods}");
        self.analysis("cohort", &more, expected)
    }

    /// What the retention must be.
    #[must_use]
    pub fn retention(&self, key: &AnswerKey, users: UserType, mode: Mode) -> Told {
        let user_type = format!("{users:?}").to_lowercase();
        let mode_name = match mode {
            Mode::On => "on",
            Mode::OnOrAfter => "on_or_after",
        };
        let expected = json!(key.retention(&self.question, users, mode));
        let more = format!("&user_type={user_type}&mode={mode_name}");
        self.analysis("retention", &more, expected)
    }

    /// Where something must be.
    #[must_use]
    pub fn geographic(&self, key: &AnswerKey, measure: Measure) -> Told {
        let metric = format!("{measure:?}").to_lowercase();
        let expected = json!(key.geographic(&self.question, measure));
        self.analysis("geographic", &format!("&metric={metric}"), expected)
    }

    /// What a trend must be.
    #[must_use]
    pub fn trend(
        &self,
        key: &AnswerKey,
        metric: &str,
        unit: Granularity,
        with_previous: bool,
    ) -> Told {
        let name = format!("{unit:?}").to_lowercase();
        let compare = match with_previous {
            true => "&compare=previous_period",
            false => "",
        };
        let expected = json!(key.trend(&self.question, metric, unit, with_previous));
        let more = format!("&metric={metric}&granularity={name}{compare}");
        self.analysis("trends", &more, expected)
    }

    fn analysis(&self, name: &str, more: &str, expected: Value) -> Told {
        Told {
            path: format!("/v1/analytics/{name}?{}{more}", self.parameters()),
            expected,
        }
    }

    fn told(&self, metric: &str, more: &str, expected: Value) -> Told {
        Told {
            path: format!("/v1/metrics/{metric}?{}{more}", self.parameters()),
            expected,
        }
    }

    /// What the tiles of the present must show.
    #[must_use]
    pub fn tiles(&self, key: &AnswerKey) -> Told {
        let question = &self.question;
        Told {
            path: format!(
                "/v1/metrics/realtime?{}",
                self.region.trim_start_matches('&')
            ),
            expected: json!(key.realtime(question.now_ms, &question.region)),
        }
    }
}

impl Told {
    /// Compares an answer with what it must be.
    ///
    /// # Panics
    /// If it differs.
    pub fn assert_equals(&self, answer: &Value) {
        let found = differences(&self.expected, answer);
        let shown: Vec<&String> = found.iter().take(10).collect();
        assert!(
            found.is_empty(),
            "{}: {} differences, the first: {shown:#?}",
            self.path,
            found.len()
        );
    }
}
