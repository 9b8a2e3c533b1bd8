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

const ATTEMPTS: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(250);

/// `Arrival`, if all topics take the producer's time and keep records that arrived at `oldest_ms`; else `Now`.
///
/// # Errors
/// When the broker does not answer, or a topic does not exist.
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
    let age_ms = now_ms - oldest_ms;
    for domain in Domain::ALL {
        let topic = describe(&admin, &config.topics.name(domain)).await?;
        if !keeps(&topic, age_ms) {
            return Ok(RecordTime::Now);
        }
    }
    Ok(RecordTime::Arrival)
}

/// A topic that was created just now is not known at once to the broker that answers, which then says nothing.
async fn describe(
    admin: &AdminClient<DefaultClientContext>,
    name: &str,
) -> Result<ConfigResource, KafkaError> {
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(30)));
    for _ in 0..ATTEMPTS {
        let answers = admin
            .describe_configs(&[ResourceSpecifier::Topic(name)], &options)
            .await
            .map_err(KafkaError::Describe)?;
        if let Some(Ok(topic)) = answers.into_iter().next()
            && !topic.entries.is_empty()
        {
            return Ok(topic);
        }
        tokio::time::sleep(BETWEEN_ATTEMPTS).await;
    }
    Err(KafkaError::NoTopic {
        topic: name.to_owned(),
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
