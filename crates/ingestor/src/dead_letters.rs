//! Publishing dead letters to their topic.

use crate::{
    config::KafkaConfig,
    judge::{DeadLetter, Judged},
};
use futures::future::try_join_all;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use std::time::Duration;

/// How long a delivery may take before it is tried again.
const DELIVERY: Duration = Duration::from_secs(20);

/// Publishes dead letters. A crash can make it repeat one, under the same source offset.
#[derive(Clone)]
pub struct DeadLetterTopic {
    producer: FutureProducer,
    topic: String,
}

/// A dead letter was not delivered.
#[derive(Debug, thiserror::Error)]
#[error("cannot publish a dead letter to {topic}")]
pub struct DeadLetterError {
    topic: String,
    source: KafkaError,
}

impl DeadLetterTopic {
    /// A producer for the topic.
    pub fn new(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let mut client = config.producer();
        client.set("message.timeout.ms", DELIVERY.as_millis().to_string());
        Ok(Self {
            producer: client.create()?,
            topic: config.dead_letter_topic.clone(),
        })
    }

    /// Publishes all dead letters of a batch and waits until the brokers have them.
    pub async fn publish(&self, judged: &Judged) -> Result<(), DeadLetterError> {
        let deliveries: Vec<_> = judged
            .dead
            .iter()
            .map(|letter| self.deliver(judged, letter))
            .collect();
        try_join_all(deliveries).await.map(drop)
    }

    async fn deliver(&self, judged: &Judged, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let Some((lane, record)) = judged.record_of(letter) else {
            return Ok(());
        };
        let (key, value) = (judged.raw.key(record), judged.raw.value(record));
        let offset = record.offset.to_string();
        let partition = lane.lane.partition.to_string();
        let headers = [
            ("reason", letter.rejection.reason.as_str()),
            ("path", letter.rejection.path.as_str()),
            ("source_topic", lane.lane.topic.as_str()),
            ("source_partition", partition.as_str()),
            ("source_offset", offset.as_str()),
        ];
        let headers = headers
            .into_iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header {
                    key,
                    value: Some(value),
                })
            });
        match self.send(key, value, headers.clone()).await {
            Err(error)
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) =>
            {
                // the table keeps all of it; the topic gets a note that says where it is
                let size = value.len().to_string();
                let headers = headers.insert(Header {
                    key: "truncated_from_bytes",
                    value: Some(size.as_str()),
                });
                self.send(beginning(key), beginning(value), headers).await
            }
            other => other,
        }
        .map_err(|source| DeadLetterError {
            topic: self.topic.clone(),
            source,
        })
    }

    async fn send(
        &self,
        key: &[u8],
        value: &[u8],
        headers: OwnedHeaders,
    ) -> Result<(), KafkaError> {
        let record = FutureRecord::to(&self.topic)
            .key(key)
            .payload(value)
            .headers(headers);
        let delivered = self.producer.send(record, Timeout::After(DELIVERY)).await;
        delivered.map(drop).map_err(|(error, _)| error)
    }
}

/// What a note shows of a key or value that is too large.
fn beginning(bytes: &[u8]) -> &[u8] {
    bytes.get(..1024).unwrap_or(bytes)
}
