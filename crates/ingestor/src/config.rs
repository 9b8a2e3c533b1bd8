//! The settings of the ingestor.

use crate::judge::Rules;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::{
    cli::ServiceSettings,
    config::{ByteSize, HumanDuration, Problem, Secret, Settings},
    health::AdminConfig,
    telemetry::TelemetryConfig,
};
use shared_schema::{AgeLimits, Subscriptions, TopicsConfig};

/// The settings of the ingestor.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the events come from.
    pub kafka: KafkaConfig,
    /// The Kafka topics that carry events.
    pub topics: TopicsConfig,
    /// Where the events go.
    pub clickhouse: event_store::Config,
    /// Where batches are promised before they are written.
    pub postgres: metadata_store::Config,
    /// How records are gathered into batches. Whichever limit is met first cuts a batch. It spans all partitions of a
    /// member while they fit. While they do not, topics that have waited longer than `max_age` go first, as many as fit,
    /// the longest wait before the others; where none has, the fullest topic goes alone.
    pub batch: BatchConfig,
    /// What is a duplicate, and what is too old.
    pub judge: JudgeConfig,
    /// How regions are settled that an event does not carry itself.
    pub settle: SettleConfig,
    /// The port for health and metrics.
    pub admin: AdminConfig,
    /// Logs, metrics, traces.
    pub telemetry: TelemetryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kafka: KafkaConfig::default(),
            topics: TopicsConfig::default(),
            clickhouse: event_store::Config::default(),
            postgres: metadata_store::Config::default(),
            batch: BatchConfig::default(),
            judge: JudgeConfig::default(),
            settle: SettleConfig::default(),
            admin: AdminConfig::on_port(9101),
            telemetry: TelemetryConfig::default(),
        }
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let topics = Subscriptions::new(&self.topics);
        let kafka = self.kafka.validate(topics.as_ref().ok());
        Problem::of_sections([
            (
                "topics",
                topics
                    .map(drop)
                    .map_err(|error| vec![Problem::new("", error.to_string())]),
            ),
            ("kafka", kafka),
            ("clickhouse", self.clickhouse.validate()),
            ("postgres", self.postgres.validate()),
            ("batch", self.batch.validate()),
            ("judge", self.judge.validate()),
            ("settle", self.settle.validate()),
            ("telemetry", self.telemetry.validate()),
        ])
    }
}

impl ServiceSettings for Config {
    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}

/// The Kafka cluster and how it is read.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// Bootstrap servers, `host:port`, separated by commas.
    pub brokers: String,
    /// Consumer group whose members share the partitions.
    pub group: String,
    /// `classic` (cooperative-sticky) or `consumer` (KIP-848, brokers from 4.0).
    pub group_protocol: GroupProtocol,
    /// Time without a heartbeat after which the group takes a member's partitions away (classic protocol).
    pub session_timeout: HumanDuration,
    /// Where dead letters are published.
    pub dead_letter_topic: String,
    /// Bytes that the client library may hold of records not yet taken.
    pub queue_size: ByteSize,
    /// How long a broker may hold a fetch back to fill it.
    pub fetch_wait: HumanDuration,
    /// `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.
    pub security_protocol: String,
    /// SASL mechanism, such as `SCRAM-SHA-512`; empty for none.
    pub sasl_mechanism: String,
    /// SASL user.
    pub sasl_username: String,
    /// SASL password.
    pub sasl_password: Secret,
    /// File with the certificate authorities that sign the brokers; empty for the system's.
    pub ssl_ca_location: String,
    /// Partitions of each topic that `topics create` makes.
    #[schemars(range(min = 1, max = 10_000))]
    pub partitions: i32,
    /// Copies of each partition that `topics create` makes.
    #[schemars(range(min = 1, max = 15))]
    pub replication: i32,
    /// How long Kafka keeps records of topics that `topics create` makes: the longest outage that loses nothing.
    pub retention: HumanDuration,
}

/// Protocol of the consumer group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GroupProtocol {
    /// Members agree among themselves, cooperatively.
    Classic,
    /// The broker assigns (KIP-848).
    Consumer,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:19092".to_owned(),
            group: "analytics-service-group".to_owned(),
            group_protocol: GroupProtocol::Classic,
            session_timeout: HumanDuration::secs(30),
            dead_letter_topic: shared_schema::DEFAULT_DEAD_LETTER_TOPIC.to_owned(),
            queue_size: ByteSize::mib(16),
            fetch_wait: HumanDuration::millis(100),
            security_protocol: "plaintext".to_owned(),
            sasl_mechanism: String::new(),
            sasl_username: String::new(),
            sasl_password: Secret::default(),
            ssl_ca_location: String::new(),
            partitions: 4,
            replication: 1,
            retention: HumanDuration::secs(7 * 24 * 3600),
        }
    }
}

impl KafkaConfig {
    fn validate(&self, read: Option<&Subscriptions>) -> Result<(), Vec<Problem>> {
        // Kafka deletes at once what it may keep for no time
        let retention = Problem::too_short("retention", self.retention);
        let found = [self.wrong_dead_letter_topic(read), retention];
        Problem::none_of(found.into_iter().flatten())
    }

    fn wrong_dead_letter_topic(&self, read: Option<&Subscriptions>) -> Option<Problem> {
        let topic = self.dead_letter_topic.as_str();
        let message = match topic {
            "" => "it must not be empty",
            _ if read?.by_topic(topic).is_some() => {
                "it must not be a topic that is read: bad records would come back for ever"
            }
            _ => return None,
        };
        Some(Problem::new("dead_letter_topic", message))
    }
}

/// When a batch is cut, and how much may wait for that.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchConfig {
    /// Records in a batch.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_rows: usize,
    /// Bytes of keys and values in a batch.
    pub max_bytes: ByteSize,
    /// Bytes of keys and values that wait to be cut, in all batches to come. While there are more, nothing is read; a
    /// topic of which as much waits as a batch takes is not read either.
    pub max_gathered: ByteSize,
    /// Records that are worth the fixed cost of a batch's inserts: with so many it is cut at `min_age`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub enough_rows: usize,
    /// Age of its oldest record before which a batch is not cut, unless it is full.
    pub min_age: HumanDuration,
    /// Age at which a batch is cut however few records it has. A longer wait is cheaper and shows later.
    pub max_age: HumanDuration,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            max_rows: 50_000,
            max_bytes: ByteSize::mib(28),
            max_gathered: ByteSize::mib(48),
            enough_rows: 5_000,
            min_age: HumanDuration::millis(1_500),
            max_age: HumanDuration::secs(5),
        }
    }
}

impl BatchConfig {
    /// Without room for a byte nothing is ever read. Less in `max_gathered` than in `max_bytes` works: a batch is cut as
    /// soon as there is no more room.
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let empty = |name: &'static str, size: ByteSize| {
            (size.as_u64() == 0).then(|| Problem::new(name, "it must be at least 1 byte"))
        };
        let empty = [
            empty("max_bytes", self.max_bytes),
            empty("max_gathered", self.max_gathered),
        ];
        Problem::none_of(empty.into_iter().flatten())
    }
}

/// How far ahead of its batch's time an event may be accepted at all.
const FARTHEST_AHEAD: HumanDuration = HumanDuration::secs(366 * 24 * 3600);

/// What is a duplicate, and what is too old.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JudgeConfig {
    /// How many offsets back in its partition a record is compared for its identity.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub dedup_window: u32,
    /// Events further ahead of their batch's time are flagged and kept out of real-time numbers.
    pub clock_skew: HumanDuration,
    /// Events further ahead of their batch's time are refused. At most a year: the aggregates' clocks end in 2106.
    pub max_ahead: HumanDuration,
    /// Events further behind their batch's time are refused, those of locations by `max_location_age`. At most the
    /// default: rows are kept 14 days longer than that.
    pub max_age: HumanDuration,
    /// Location events further behind their batch's time are refused. At most the default: their rows are kept 14 days
    /// longer than that.
    pub max_location_age: HumanDuration,
}

impl Default for JudgeConfig {
    fn default() -> Self {
        let limits = AgeLimits::default();
        Self {
            dedup_window: 20_000,
            clock_skew: limits.clock_skew.into(),
            max_ahead: limits.max_ahead.into(),
            max_age: limits.max_age.into(),
            max_location_age: limits.max_location_age.into(),
        }
    }
}

impl JudgeConfig {
    /// Rows leave the tables some days after the age up to which events are accepted by default: what is accepted at
    /// a greater age would vanish unseen.
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let longest = Self::default();
        let refused = |name: &'static str, ours: HumanDuration, most: HumanDuration, why: &str| {
            let told = || format!("it must be at most {most}: {why}");
            (ours > most).then(|| Problem::new(name, told()))
        };
        let not_kept = "rows are not kept for longer ages";
        let too_long = [
            refused("max_age", self.max_age, longest.max_age, not_kept),
            refused(
                "max_location_age",
                self.max_location_age,
                longest.max_location_age,
                not_kept,
            ),
            refused(
                "max_ahead",
                self.max_ahead,
                FARTHEST_AHEAD,
                "what lies further ahead is in no aggregate",
            ),
        ];
        Problem::none_of(too_long.into_iter().flatten())
    }

    /// What a batch is judged by at this time.
    pub fn rules(&self, decided_at: DateTime<Utc>) -> Rules {
        Rules {
            decided_at,
            limits: self.age_limits(),
            dedup_window: i64::from(self.dedup_window),
        }
    }

    /// The limits for the types' own rule.
    pub fn age_limits(&self) -> AgeLimits {
        AgeLimits {
            clock_skew: self.clock_skew.get(),
            max_ahead: self.max_ahead.get(),
            max_age: self.max_age.get(),
            max_location_age: self.max_location_age.get(),
        }
    }
}

/// How regions are settled that an event does not carry itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SettleConfig {
    /// How often it is looked whether regions can be settled. Then one settling follows the other, 250 ms apart, until
    /// nothing more can be settled. What waits is taken by the ten seconds in which it was judged.
    pub interval: HumanDuration,
    /// How long a ride's event waits for its `booking.created`, and a refund for its payment's method, once everything
    /// that arrived before it has been read; then the route's origin decides, then `unknown`.
    pub patience: HumanDuration,
    /// Waiting facts that one settling looks at; one follows the other until nothing more can be settled. The more, the
    /// less they cost; each takes about 1 kB of ClickHouse's memory.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_facts: u64,
}

impl Default for SettleConfig {
    fn default() -> Self {
        Self {
            interval: HumanDuration::secs(15),
            patience: HumanDuration::secs(300),
            max_facts: 200_000,
        }
    }
}

impl SettleConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        Problem::none_of(Problem::too_short("interval", self.interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said about a configuration.
    fn told(config: &Config) -> Vec<String> {
        let problems = config.validate().err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_default_is_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn what_would_stand_still_is_refused_by_name() {
        let mut config = Config::default();
        config.kafka.retention = HumanDuration::secs(0);
        config.clickhouse.request_timeout = HumanDuration::secs(0);
        config.postgres.connect_timeout = HumanDuration::secs(0);
        config.batch.max_bytes = ByteSize::bytes(0);
        config.batch.max_gathered = ByteSize::bytes(0);
        config.settle.interval = HumanDuration::secs(0);
        assert_eq!(
            told(&config),
            [
                "kafka.retention: it must be at least 1ms",
                "clickhouse.request_timeout: it must be at least 1ms",
                "postgres.connect_timeout: it must be at least 1ms",
                "batch.max_bytes: it must be at least 1 byte",
                "batch.max_gathered: it must be at least 1 byte",
                "settle.interval: it must be at least 1ms",
            ]
        );
    }

    #[test]
    fn events_that_no_table_holds_are_not_accepted() {
        let mut config = Config::default();
        config.judge.max_age = HumanDuration::secs(91 * 86_400);
        config.judge.max_ahead = HumanDuration::secs(367 * 86_400);
        assert_eq!(
            told(&config),
            [
                "judge.max_age: it must be at most 90days: rows are not kept for longer ages",
                "judge.max_ahead: it must be at most 366days: what lies further ahead is in no aggregate",
            ]
        );
    }

    #[test]
    fn a_dead_letter_topic_that_is_read_or_has_no_name_is_refused() {
        let told_of = |dead_letter_topic: &str| {
            let mut config = Config::default();
            config.topics.trip = "trips".to_owned();
            config.topics.legacy_topics = vec!["booking.created".to_owned()];
            config.topics.moved_event_types = vec!["booking.created".to_owned()];
            config.kafka.dead_letter_topic = dead_letter_topic.to_owned();
            told(&config)
        };
        let read = "kafka.dead_letter_topic: it must not be a topic that is read: bad records would come back for ever";
        assert_eq!(told_of("trips"), [read]);
        assert_eq!(told_of("booking.created"), [read]);
        assert_eq!(
            told_of(""),
            ["kafka.dead_letter_topic: it must not be empty"]
        );
        assert_eq!(told_of("openride.events.trip"), [""; 0]);
    }

    #[test]
    fn what_works_is_accepted_however_odd() {
        let mut config = Config::default();
        config.batch.max_gathered = ByteSize::bytes(1);
        config.batch.min_age = HumanDuration::secs(0);
        config.batch.max_age = HumanDuration::secs(0);
        config.settle.patience = HumanDuration::secs(0);
        config.kafka.fetch_wait = HumanDuration::secs(0);
        assert_eq!(config.validate(), Ok(()));
    }
}
