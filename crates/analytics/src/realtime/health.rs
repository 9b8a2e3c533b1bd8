use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

const DEGRADED_LAG: TimeDelta = TimeDelta::seconds(30);
const CRITICAL_LAG: TimeDelta = TimeDelta::seconds(300);
const SILENCE: TimeDelta = TimeDelta::seconds(60);

/// How well the pipeline follows its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Events are visible within seconds.
    Healthy,
    /// The lag is over 30 seconds, a lane is stopped, or it is not known yet how far one is.
    Degraded,
    /// The lag is over 300 seconds, or no ingestor has been heard for 60 seconds.
    Critical,
}

/// The health of the pipeline and why it is not better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PipelineHealth {
    /// The verdict.
    pub system_health: Health,
    /// Everything that is wrong, the worst first.
    pub system_health_reasons: Vec<String>,
    /// Whole seconds from `complete_through` to now; `null` while nothing is known of it.
    #[schema(required)]
    pub ingest_lag_seconds: Option<i64>,
}

/// What is known of the ingestors and their lanes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Everything that arrived before this is in the numbers.
    pub complete_through: Option<DateTime<Utc>>,
    /// The same of those lanes of which it is known.
    pub known_through: Option<DateTime<Utc>>,
    /// The lanes of which it is not known yet, such as `openride.events.booking/3`.
    pub unknown: Vec<String>,
    /// When any ingestor was last heard.
    pub heard_at: Option<DateTime<Utc>>,
    /// The lanes that are stopped.
    pub stopped: Vec<String>,
}

impl PipelineHealth {
    /// Judges the signs at a time.
    #[must_use]
    pub fn judge(signs: &Signs, now: DateTime<Utc>) -> Self {
        let lag_of = |through: Option<DateTime<Utc>>| through.map(|through| now - through);
        let mut faults = Vec::new();
        if signs.heard_at.is_none_or(|heard| now - heard > SILENCE) {
            faults.push((Health::Critical, silence(signs, now)));
        }
        // a lane of which nothing is known yet hides nothing of the others
        if let Some(lag) = lag_of(signs.known_through).filter(|lag| *lag > DEGRADED_LAG) {
            let health = if lag > CRITICAL_LAG {
                Health::Critical
            } else {
                Health::Degraded
            };
            faults.push((
                health,
                format!("the numbers are {} seconds behind", lag.num_seconds()),
            ));
        }
        for lane in &signs.stopped {
            faults.push((Health::Degraded, format!("lane {lane} is stopped")));
        }
        for lane in &signs.unknown {
            let reason = format!("it is not known yet how far lane {lane} is");
            faults.push((Health::Degraded, reason));
        }
        faults.sort_by_key(|(health, _)| std::cmp::Reverse(*health));
        Self {
            system_health: faults
                .first()
                .map_or(Health::Healthy, |(health, _)| *health),
            system_health_reasons: faults.into_iter().map(|(_, reason)| reason).collect(),
            ingest_lag_seconds: lag_of(signs.complete_through).map(|lag| lag.num_seconds().max(0)),
        }
    }
}

fn silence(signs: &Signs, now: DateTime<Utc>) -> String {
    match signs.heard_at {
        None => "no ingestor has ever been heard".to_owned(),
        Some(heard) => format!(
            "no ingestor has been heard for {} seconds",
            (now - heard).num_seconds()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn signs(lag_seconds: i64, silent_seconds: i64, stopped: &[&str]) -> Signs {
        let through = Some(now() - TimeDelta::seconds(lag_seconds));
        Signs {
            complete_through: through,
            known_through: through,
            unknown: Vec::new(),
            heard_at: Some(now() - TimeDelta::seconds(silent_seconds)),
            stopped: stopped.iter().map(|lane| (*lane).to_owned()).collect(),
        }
    }

    fn judged(lag_seconds: i64, silent_seconds: i64, stopped: &[&str]) -> PipelineHealth {
        PipelineHealth::judge(&signs(lag_seconds, silent_seconds, stopped), now())
    }

    #[test]
    fn limits_are_exceeded_not_reached() {
        use Health::{Critical, Degraded, Healthy};
        for (lag, silent, expected) in [
            (0, 0, Healthy),
            (30, 60, Healthy),
            (31, 0, Degraded),
            (300, 0, Degraded),
            (301, 0, Critical),
            (0, 61, Critical),
        ] {
            assert_eq!(
                judged(lag, silent, &[]).system_health,
                expected,
                "{lag} {silent}"
            );
        }
    }

    #[test]
    fn every_fault_is_named_with_the_worst_first() {
        let health = judged(31, 61, &["openride.events.booking/3"]);
        assert_eq!(health.system_health, Health::Critical);
        assert_eq!(
            health.system_health_reasons,
            [
                "no ingestor has been heard for 61 seconds",
                "the numbers are 31 seconds behind",
                "lane openride.events.booking/3 is stopped"
            ]
        );
        assert_eq!(health.ingest_lag_seconds, Some(31));
    }

    #[test]
    fn a_clock_that_is_ahead_makes_no_negative_lag() {
        assert_eq!(judged(-2, 0, &[]).ingest_lag_seconds, Some(0));
    }

    #[test]
    fn a_lane_of_which_nothing_is_known_degrades_and_hides_nothing() {
        for (lag, expected, reasons) in [(0, Health::Degraded, 1), (400, Health::Critical, 2)] {
            let signs = Signs {
                complete_through: None,
                unknown: vec!["openride.events.trip/9".to_owned()],
                ..signs(lag, 0, &[])
            };
            let health = PipelineHealth::judge(&signs, now());
            assert_eq!(health.system_health, expected);
            assert_eq!(health.system_health_reasons.len(), reasons);
            let last = health.system_health_reasons.last().unwrap();
            assert_eq!(
                last,
                "it is not known yet how far lane openride.events.trip/9 is"
            );
            assert_eq!(health.ingest_lag_seconds, None);
        }
    }

    #[test]
    fn without_any_sign_it_is_critical() {
        let health = PipelineHealth::judge(&Signs::default(), now());
        assert_eq!(
            (health.system_health, health.ingest_lag_seconds),
            (Health::Critical, None)
        );
    }
}
