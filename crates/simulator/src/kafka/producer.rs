//! The producer: idempotent, acknowledged by all replicas, and it fails if one record cannot be delivered.

use super::RecordTime;
use crate::record::{Record, TopicNames};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError as Trouble, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use shared_schema::Domain;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How the producer is set up.
#[derive(Debug, Clone)]
pub struct ProducerConfig {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// Where the records go.
    pub topics: TopicNames,
    /// How batches are compressed.
    pub compression: Compression,
    /// Which time a record bears.
    pub record_time: RecordTime,
}

/// How batches are compressed. Without compression Kafka refuses records over 1 MiB before we can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Fast.
    Lz4,
    /// Not at all.
    None,
}

/// A record could not be delivered.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// The client could not be set up.
    #[error("cannot set up a Kafka client for {brokers}")]
    Setup {
        /// As configured.
        brokers: String,
        /// Why.
        source: Trouble,
    },
    /// The topics could not be described.
    #[error("cannot describe the topics")]
    Describe(#[source] Trouble),
    /// A topic does not exist.
    #[error(
        "there is no topic {topic}; the ingestor creates the topics with `ingestor topics create`"
    )]
    NoTopic {
        /// The topic.
        topic: String,
    },
    /// A record was refused before it was sent.
    #[error("cannot send a record to {topic}")]
    Send {
        /// The topic.
        topic: String,
        /// Why.
        source: Trouble,
    },
    /// A record was sent and not stored.
    #[error("a record was not delivered")]
    Delivery(#[source] Trouble),
    /// Some records were neither delivered nor refused in time.
    #[error("{outstanding} records were not acknowledged in time")]
    Unacknowledged {
        /// How many.
        outstanding: i32,
    },
}

/// Keeps the first failure. Kafka reports failures only: two hundred thousand good news a second cost a core.
#[derive(Debug, Default)]
struct Deliveries {
    failure: OnceLock<Trouble>,
}

/// Shared with the client, whose last reports may come while it is being closed.
#[derive(Debug, Clone, Default)]
struct SharedDeliveries(Arc<Deliveries>);

impl ClientContext for SharedDeliveries {}

impl ProducerContext for SharedDeliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((trouble, _)) = result {
            _ = self.0.failure.set(trouble.clone());
        }
    }
}

/// A producer of simulated records.
pub struct Producer {
    inner: ThreadedProducer<SharedDeliveries>,
    deliveries: Arc<Deliveries>,
    topics: [String; 6],
    record_time: RecordTime,
    sent: u64,
}

/// How long `finish` waits for the last acknowledgements; a broker that restarts takes a while.
const PATIENCE: Duration = Duration::from_secs(300);

impl Producer {
    /// A producer; it connects in the background.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn new(config: &ProducerConfig) -> Result<Self, KafkaError> {
        let compression = match config.compression {
            Compression::Lz4 => "lz4",
            Compression::None => "none",
        };
        let context = SharedDeliveries::default();
        let deliveries = Arc::clone(&context.0);
        let inner = ClientConfig::new()
            .set("bootstrap.servers", &config.brokers)
            .set("client.id", "openride-simulator")
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", compression)
            .set("linger.ms", "20")
            .set("batch.size", "500000")
            .set("batch.num.messages", "20000")
            .set("queue.buffering.max.messages", "300000")
            .set("queue.buffering.max.kbytes", "262144")
            // A record over 1 MiB is to be refused by the platform, not by the client.
            .set("message.max.bytes", "8000000")
            .set("delivery.report.only.error", "true")
            .create_with_context(context)
            .map_err(|source| KafkaError::Setup {
                brokers: config.brokers.clone(),
                source,
            })?;
        let topics = Domain::ALL.map(|domain| config.topics.name(domain));
        Ok(Self {
            inner,
            deliveries,
            topics,
            record_time: config.record_time,
            sent: 0,
        })
    }

    /// Queues a record; waits while the queue is full.
    ///
    /// # Errors
    /// When the record, or an earlier one, cannot be delivered.
    pub fn send(&mut self, record: &Record) -> Result<(), KafkaError> {
        self.deliveries.check()?;
        let topic = self
            .topics
            .get(record.topic as usize)
            .map_or("", String::as_str);
        let mut message = BaseRecord::to(topic)
            .key(&record.key)
            .payload(&record.value);
        if self.record_time == RecordTime::Arrival {
            message = message.timestamp(record.timestamp_ms);
        }
        loop {
            match self.inner.send(message) {
                Ok(()) => break,
                Err((Trouble::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    message = back;
                    std::thread::sleep(Duration::from_millis(2));
                    self.deliveries.check()?;
                }
                Err((source, _)) => {
                    return Err(KafkaError::Send {
                        topic: topic.to_owned(),
                        source,
                    });
                }
            }
        }
        self.sent += 1;
        Ok(())
    }

    /// Waits until everything is acknowledged; says how many records were.
    ///
    /// # Errors
    /// When a record was not delivered.
    pub fn finish(self) -> Result<u64, KafkaError> {
        let Self {
            inner,
            deliveries,
            sent,
            ..
        } = self;
        let flushed = inner.flush(PATIENCE);
        let outstanding = inner.in_flight_count();
        // Ends the client's own thread, so that no report is on its way any more.
        drop(inner);
        deliveries.check()?;
        flushed.map_err(KafkaError::Delivery)?;
        if outstanding > 0 {
            return Err(KafkaError::Unacknowledged { outstanding });
        }
        Ok(sent)
    }

    /// How many records were queued.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }
}

impl Deliveries {
    fn check(&self) -> Result<(), KafkaError> {
        match self.failure.get() {
            Some(trouble) => Err(KafkaError::Delivery(trouble.clone())),
            None => Ok(()),
        }
    }
}
