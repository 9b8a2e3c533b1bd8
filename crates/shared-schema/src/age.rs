//! How old or how far ahead an event may be.

use std::time::Duration;

use crate::{Domain, ReasonCode, Rejection};

const TIME_PATH: &str = "$.event_timestamp";
const DAY: u64 = 24 * 60 * 60;

/// Limits on the distance between an event's own time and the time at which it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeLimits {
    /// An event further ahead than this is accepted and flagged; 5 minutes.
    pub clock_skew: Duration,
    /// An event further ahead than this is refused; 24 hours.
    pub max_ahead: Duration,
    /// An event further back than this is refused; 90 days.
    pub max_age: Duration,
    /// The same for location events; 30 days.
    pub max_location_age: Duration,
}

impl Default for AgeLimits {
    fn default() -> Self {
        Self {
            clock_skew: Duration::from_secs(5 * 60),
            max_ahead: Duration::from_secs(DAY),
            max_age: Duration::from_secs(90 * DAY),
            max_location_age: Duration::from_secs(30 * DAY),
        }
    }
}

impl AgeLimits {
    /// The age up to which events of a domain are accepted.
    #[must_use]
    pub const fn max_age_of(&self, domain: Domain) -> Duration {
        match domain {
            Domain::Location => self.max_location_age,
            Domain::User | Domain::Booking | Domain::Payment | Domain::Trip | Domain::Route => {
                self.max_age
            }
        }
    }
}

/// Is the event so far ahead that its producer's clock must be wrong? Such events are kept out of
/// real-time numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSkew(pub bool);

/// Judges an event's time against the time stored with its batch, so that a replay judges the same.
/// Both times are milliseconds since 1970.
///
/// # Errors
/// `too_old` or `out_of_range`; that a time is before 2000 has already been refused by `decode`.
pub fn judge_age(
    timestamp_ms: i64,
    decided_at_ms: i64,
    domain: Domain,
    limits: &AgeLimits,
) -> Result<ClockSkew, Rejection> {
    let ahead_ms = timestamp_ms.saturating_sub(decided_at_ms);
    if ahead_ms > milliseconds(limits.max_ahead) {
        return Err(Rejection::at(
            TIME_PATH,
            ReasonCode::OutOfRange,
            "too far in the future",
        ));
    }
    let max_age = limits.max_age_of(domain);
    if ahead_ms < -milliseconds(max_age) {
        let detail = format!("older than {} hours", max_age.as_secs() / 3600);
        return Err(Rejection::at(TIME_PATH, ReasonCode::TooOld, detail));
    }
    Ok(ClockSkew(ahead_ms > milliseconds(limits.clock_skew)))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
