//! Publishing dead letters to their topic.

use crate::{
    config::KafkaConfig,
    judge::{DeadLetter, Judged},
};
use futures::future::try_join_all;
use metadata_store::LaneId;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a delivery may take before it is tried again.
const DELIVERY: Duration = Duration::from_secs(20);

/// The dead letters of a batch that its topic has.
#[derive(Default)]
pub struct Delivered(Mutex<HashMap<LaneId, HashSet<i64>>>);

impl Delivered {
    fn has(&self, letter: &Envelope<'_>) -> bool {
        let offsets = self.lock();
        let offsets = offsets.get(letter.lane);
        offsets.is_some_and(|offsets| offsets.contains(&letter.offset))
    }

    fn add(&self, letter: &Envelope<'_>) {
        let mut lanes = self.lock();
        let offsets = lanes.entry(letter.lane.clone()).or_default();
        offsets.insert(letter.offset);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LaneId, HashSet<i64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes dead letters. A crash, or an answer that is lost, can make it repeat one, under the same source offset.
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

    /// Publishes the dead letters of a batch that are not yet `delivered`, and waits until the brokers have them. What is
    /// too large for the topic is told by its beginning, its size and its hash: the table keeps all of it.
    pub async fn publish(
        &self,
        judged: &Judged,
        delivered: &Delivered,
    ) -> Result<(), DeadLetterError> {
        let envelopes: Vec<_> = judged
            .dead
            .iter()
            .filter_map(|letter| Envelope::of(judged, letter))
            .filter(|envelope| !delivered.has(envelope))
            .collect();
        let deliveries = envelopes.iter().map(|envelope| async move {
            match self.send(envelope).await {
                Err(error) if is_too_large(&error) => Ok(Some(envelope)),
                other => other.map(|()| {
                    delivered.add(envelope);
                    None
                }),
            }
        });
        let refused = try_join_all(deliveries).await.map_err(self.failed())?;
        // the brokers refuse a request for one of its records, so that its neighbours come back with it
        for envelope in refused.into_iter().flatten() {
            self.send_alone(envelope).await.map_err(self.failed())?;
            delivered.add(envelope);
        }
        Ok(())
    }

    async fn send_alone(&self, envelope: &Envelope<'_>) -> Result<(), KafkaError> {
        match self.send(envelope).await {
            Err(error) if is_too_large(&error) => self.send(&envelope.shortened()).await,
            other => other,
        }
    }

    fn failed(&self) -> impl Fn(KafkaError) -> DeadLetterError {
        |source| DeadLetterError {
            topic: self.topic.clone(),
            source,
        }
    }

    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), KafkaError> {
        let record = FutureRecord::to(&self.topic)
            .key(envelope.key)
            .payload(envelope.value)
            .headers(envelope.headers.clone());
        let delivered = self.producer.send(record, Timeout::After(DELIVERY)).await;
        delivered.map(drop).map_err(|(error, _)| error)
    }
}

/// A dead letter as its topic gets it.
struct Envelope<'a> {
    lane: &'a LaneId,
    offset: i64,
    key: &'a [u8],
    value: &'a [u8],
    headers: OwnedHeaders,
}

impl<'a> Envelope<'a> {
    fn of(judged: &'a Judged, letter: &DeadLetter) -> Option<Self> {
        let (lane, record) = judged.record_of(letter)?;
        let offset = record.offset.to_string();
        let partition = lane.lane.partition.to_string();
        let headers = [
            ("reason", letter.rejection.reason.as_str()),
            ("path", letter.rejection.path.as_str()),
            ("source_topic", lane.lane.topic.as_str()),
            ("source_partition", partition.as_str()),
            ("source_offset", offset.as_str()),
        ];
        Some(Self {
            lane: &lane.lane,
            offset: record.offset,
            key: lane.key(record),
            value: lane.value(record),
            headers: headers.into_iter().fold(OwnedHeaders::new(), with),
        })
    }

    /// What finds the record again, without most of its bytes.
    fn shortened(&self) -> Self {
        let size = self.value.len().to_string();
        let hash = hex(&Sha256::digest(self.value));
        let more = [
            ("truncated_from_bytes", size.as_str()),
            ("truncated_from_sha256", hash.as_str()),
        ];
        Self {
            lane: self.lane,
            offset: self.offset,
            key: beginning(self.key),
            value: beginning(self.value),
            headers: more.into_iter().fold(self.headers.clone(), with),
        }
    }
}

fn with(headers: OwnedHeaders, (key, value): (&str, &str)) -> OwnedHeaders {
    headers.insert(Header {
        key,
        value: Some(value),
    })
}

fn is_too_large(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a note shows of a key or value that is too large.
fn beginning(bytes: &[u8]) -> &[u8] {
    bytes.get(..1024).unwrap_or(bytes)
}
