//! Kafka records, and what the platform must make of them.

use shared_schema::{Domain, ReasonCode};

/// A record for Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which of the six topics; its name is a matter of configuration.
    pub topic: Domain,
    /// The entity's id.
    pub key: Vec<u8>,
    /// JSON, mostly.
    pub value: Vec<u8>,
    /// When it reaches Kafka, milliseconds since 1970.
    pub timestamp_ms: i64,
}

/// The one verdict on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expected {
    /// It counts.
    Accepted,
    /// It repeats an accepted record that lies shortly before it in its partition.
    Duplicate,
    /// It is dead-lettered, for this reason.
    DeadLetter(ReasonCode),
}

/// The names of the topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicNames {
    prefix: String,
}

impl TopicNames {
    /// Topics named `{prefix}.user`, `{prefix}.booking`, …
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        Self {
            prefix: prefix.trim_end_matches('.').to_owned(),
        }
    }

    /// The name of a domain's topic.
    #[must_use]
    pub fn name(&self, domain: Domain) -> String {
        format!("{}.{domain}", self.prefix)
    }
}

impl Default for TopicNames {
    fn default() -> Self {
        Self::with_prefix("openride.events")
    }
}
