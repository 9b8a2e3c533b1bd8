use std::{borrow::Cow, fmt, ops::Deref, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A length of time as people write it: `250ms`, `30s`, `5m`, `1h 30m`.
///
/// Dereferences to [`Duration`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct HumanDuration(#[serde(with = "humantime_serde")] Duration);

impl HumanDuration {
    /// So many milliseconds.
    pub const fn millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// So many seconds.
    pub const fn secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The same length of time for the standard library.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl Deref for HumanDuration {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl From<Duration> for HumanDuration {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<HumanDuration> for Duration {
    fn from(duration: HumanDuration) -> Self {
        duration.0
    }
}

impl FromStr for HumanDuration {
    type Err = humantime::DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Self)
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // beyond days, humantime counts in months of 30.44 days, which nobody can read back
        let days = self.0.as_secs() / DAY.as_secs();
        let rest = self
            .0
            .saturating_sub(DAY * u32::try_from(days).unwrap_or(u32::MAX));
        match (days, rest.is_zero()) {
            (0, _) => humantime::format_duration(rest).fmt(f),
            (1, true) => f.write_str("1day"),
            (days, true) => write!(f, "{days}days"),
            (days, false) => write!(f, "{days}days {}", humantime::format_duration(rest)),
        }
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for HumanDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HumanDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "human-duration" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_keeps_its_value_through_json_and_text() {
        let duration = HumanDuration::millis(90_250);
        let json = serde_json::to_string(&duration).unwrap();
        assert_eq!(json, r#""1m 30s 250ms""#);
        assert_eq!(
            serde_json::from_str::<HumanDuration>(&json).unwrap(),
            duration
        );
        assert_eq!(
            duration.to_string().parse::<HumanDuration>().unwrap(),
            duration
        );
    }

    #[test]
    fn a_bare_number_is_refused_because_it_has_no_unit() {
        assert!("30".parse::<HumanDuration>().is_err());
        assert!(serde_json::from_str::<HumanDuration>("30").is_err());
    }
}
