//! Questions in the words of the key and of the API, so that one can be compared with the other.

use super::{AnswerKey, Granularity, Question, differences};
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
