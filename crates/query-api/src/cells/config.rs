use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Problem, Secret, Settings};

/// The tokens that open counts down to their events. Without `secret` no count can be opened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CellsConfig {
    /// The secret that they are signed with, of 32 bytes or more, the same for all replicas; empty for none. Once it is
    /// another, earlier tokens open nothing.
    pub secret: Secret,
    /// How long they open something, counted from their answer: 90 days at most, for which events are kept. Those that go
    /// by first registrations do for 7 days at most.
    pub lifetime: HumanDuration,
}

const MOST: HumanDuration = HumanDuration::secs(90 * 24 * 60 * 60);

impl Default for CellsConfig {
    fn default() -> Self {
        Self {
            secret: Secret::default(),
            lifetime: HumanDuration::secs(24 * 60 * 60),
        }
    }
}

impl Settings for CellsConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let weak = Problem::weak_secret("secret", &self.secret);
        let short = Problem::too_short("lifetime", self.lifetime);
        let long =
            (self.lifetime > MOST).then(|| Problem::new("lifetime", "it may be 90 days at most"));
        Problem::none_of(weak.into_iter().chain(short).chain(long))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(secret: &str, lifetime: HumanDuration) -> Vec<String> {
        let secret = Secret::from(secret);
        let problems = CellsConfig { secret, lifetime }.validate();
        let problems = problems.err().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| problem.setting)
            .collect()
    }

    #[test]
    fn a_secret_is_long_or_none() {
        let day = CellsConfig::default().lifetime;
        assert_eq!(problems("", day), [""; 0]);
        assert_eq!(problems(&"s".repeat(32), day), [""; 0]);
        assert_eq!(problems(&"s".repeat(31), day), ["secret"]);
        assert_eq!(problems("", HumanDuration::secs(0)), ["lifetime"]);
        assert_eq!(problems("", MOST), [""; 0]);
        let longer = HumanDuration::secs(90 * 24 * 60 * 60 + 1);
        assert_eq!(problems("", longer), ["lifetime"]);
    }

    #[test]
    fn the_secret_is_shown_nowhere() {
        let config = CellsConfig {
            secret: Secret::from("0123456789abcdef"),
            ..CellsConfig::default()
        };
        let json = serde_json::to_string(&config).unwrap();
        assert!(!format!("{config:?}{json}").contains("0123456789"));
    }
}
