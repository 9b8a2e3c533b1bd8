//! Options that several commands have in common.

use chrono::DateTime;
use clap::{Args, ValueEnum};
use shared_schema::ReasonCode;
use simulator::{
    Compression, Disorder, KafkaError, Mess, ProducerConfig, RecordTime, TopicNames,
    allowed_record_time,
};

/// Where the records go.
#[derive(Debug, Clone, Args)]
pub(super) struct KafkaOptions {
    /// Kafka brokers, host:port separated by commas
    #[arg(
        long,
        env = "OPENRIDE_KAFKA_BROKERS",
        default_value = "127.0.0.1:19092"
    )]
    brokers: String,
    /// The topics are this and .user, .booking, .payment, .trip, .route, .location
    #[arg(long, default_value = "openride.events")]
    topics_prefix: String,
    /// Compression of batches; without any, Kafka itself refuses the records that are too large
    #[arg(long, value_enum, default_value = "lz4")]
    compression: CompressionOption,
    /// The records' own time: that of their simulated arrival, or of their sending; auto takes the first where the
    /// topics keep records that old
    #[arg(long, value_enum, default_value = "auto")]
    record_time: RecordTimeOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CompressionOption {
    Lz4,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RecordTimeOption {
    Auto,
    Arrival,
    Now,
}

impl KafkaOptions {
    /// The producer's settings; asks Kafka which record time is safe if that is left open.
    pub(super) async fn producer(
        &self,
        oldest_ms: i64,
        now_ms: i64,
    ) -> Result<ProducerConfig, KafkaError> {
        let mut config = ProducerConfig {
            brokers: self.brokers.clone(),
            topics: TopicNames::with_prefix(&self.topics_prefix),
            compression: match self.compression {
                CompressionOption::Lz4 => Compression::Lz4,
                CompressionOption::None => Compression::None,
            },
            record_time: RecordTime::Now,
        };
        config.record_time = match self.record_time {
            RecordTimeOption::Auto => allowed_record_time(&config, oldest_ms, now_ms).await?,
            RecordTimeOption::Arrival => RecordTime::Arrival,
            RecordTimeOption::Now => RecordTime::Now,
        };
        Ok(config)
    }

    /// Without compression a record over 1 MiB does not reach the platform.
    fn carries_too_large(&self) -> bool {
        self.compression != CompressionOption::None
    }
}

/// What goes wrong on the way; shares are between 0 and 1.
#[derive(Debug, Clone, Args)]
pub(super) struct MessOptions {
    /// Share of the rides whose events arrive hours to weeks after they happened
    #[arg(long, default_value_t = 0.01, value_parser = share)]
    late: f64,
    /// Share of the rides of which one topic lags behind the others
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    out_of_order: f64,
    /// Share of the events whose producer's clock is 6 to 60 minutes ahead
    #[arg(long, default_value_t = 0.0005, value_parser = share)]
    skewed: f64,
    /// Share of the events without an event_id
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    without_id: f64,
    /// Share of the bookings from telephones that do not know where they are
    #[arg(long, default_value_t = 0.005, value_parser = share)]
    without_fix: f64,
    /// Share of the events that are sent a second time
    #[arg(long, default_value_t = 0.01, value_parser = share)]
    duplicates: f64,
    /// At most so many records lie between a record and its repetition
    #[arg(long, default_value_t = 500)]
    duplicate_within: u32,
    /// Malformed records per event
    #[arg(long, default_value_t = 0.002, value_parser = share)]
    malformed: f64,
    /// Reasons for which malformed records are refused, separated by commas; all if absent
    #[arg(long, value_delimiter = ',', value_parser = reason)]
    malformed_reasons: Vec<ReasonCode>,
}

impl MessOptions {
    pub(super) const fn disorder(&self) -> Disorder {
        Disorder {
            late: self.late,
            out_of_order: self.out_of_order,
            skewed: self.skewed,
            without_id: self.without_id,
            without_fix: self.without_fix,
        }
    }

    pub(super) fn mess(&self, kafka: &KafkaOptions) -> Mess {
        let all = || ReasonCode::ALL.iter().copied();
        let mut reasons = self.malformed_reasons.clone();
        if reasons.is_empty() {
            reasons = all()
                .filter(|reason| *reason != ReasonCode::TooLarge || kafka.carries_too_large())
                .collect();
        }
        Mess {
            duplicates: self.duplicates,
            duplicate_within: self.duplicate_within,
            malformed: self.malformed,
            reasons,
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err("expected 0 to 1".to_owned())
    }
}

fn reason(text: &str) -> Result<ReasonCode, String> {
    let known = || {
        ReasonCode::ALL
            .iter()
            .map(|reason| reason.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    ReasonCode::parse(text).ok_or_else(|| format!("expected one of {}", known()))
}

/// An RFC 3339 time as milliseconds since 1970.
pub(super) fn instant(text: &str) -> Result<i64, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.timestamp_millis())
        .map_err(|error| format!("expected a time like 2026-01-31T08:00:00Z: {error}"))
}
