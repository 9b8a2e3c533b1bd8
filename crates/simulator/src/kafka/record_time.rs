//! Which time a record bears.
//!
//! Kafka deletes by the records' time: a record that bears the time at which it arrived three months ago is gone
//! before it is read, unless the topic keeps it that long. So the simulated time is given only where that is safe.

use super::{KafkaError, ProducerConfig};
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use shared_schema::Domain;
use std::time::Duration;

/// Which time a record bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordTime {
    /// That of its simulated arrival.
    Arrival,
    /// That at which it is sent.
    Now,
}

/// Records this much younger than the topic's retention are still read in time.
const MARGIN_MS: i64 = 24 * 60 * 60 * 1000;

/// `Arrival`, if all topics take the producer's time and keep records that arrived at `oldest_ms`; else `Now`.
///
/// # Errors
/// When the broker does not answer.
pub async fn allowed_record_time(
    config: &ProducerConfig,
    oldest_ms: i64,
    now_ms: i64,
) -> Result<RecordTime, KafkaError> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .create()
        .map_err(|source| KafkaError::Setup {
            brokers: config.brokers.clone(),
            source,
        })?;
    let names = Domain::ALL.map(|domain| config.topics.name(domain));
    let topics: Vec<ResourceSpecifier<'_>> = names
        .iter()
        .map(|name| ResourceSpecifier::Topic(name))
        .collect();
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(30)));
    let answers = admin
        .describe_configs(&topics, &options)
        .await
        .map_err(KafkaError::Describe)?;
    let age_ms = now_ms - oldest_ms;
    let all = answers
        .iter()
        .all(|answer| answer.as_ref().is_ok_and(|topic| keeps(topic, age_ms)));
    Ok(if all {
        RecordTime::Arrival
    } else {
        RecordTime::Now
    })
}

fn keeps(topic: &ConfigResource, age_ms: i64) -> bool {
    let setting = |name: &str| {
        topic
            .entries
            .iter()
            .find(|entry| entry.name == name)
            .and_then(|entry| entry.value.as_deref())
    };
    let number = |name: &str| setting(name).and_then(|value| value.parse::<i64>().ok());
    let own_time = setting("message.timestamp.type") == Some("CreateTime");
    let kept =
        number("retention.ms").is_some_and(|kept_ms| kept_ms < 0 || age_ms + MARGIN_MS < kept_ms);
    let taken = number("message.timestamp.before.max.ms").is_none_or(|limit_ms| age_ms < limit_ms);
    own_time && kept && taken
}
