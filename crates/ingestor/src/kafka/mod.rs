//! Clients of Kafka.

pub(crate) mod existence;

use crate::config::{GroupProtocol, KafkaConfig};
use metadata_store::LaneId;
use rdkafka::{
    ClientConfig, Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaResult,
    topic_partition_list::{Offset, TopicPartitionListElem},
};
use std::time::Duration;

/// How long Kafka may take to tell the bounds of a partition.
const BOUNDS: Duration = Duration::from_secs(10);

impl KafkaConfig {
    /// What every client needs.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "openride-ingestor");
        config.set("security.protocol", &self.security_protocol);
        let optional = [
            ("sasl.mechanisms", self.sasl_mechanism.as_str()),
            ("sasl.username", self.sasl_username.as_str()),
            ("sasl.password", self.sasl_password.expose()),
            ("ssl.ca.location", self.ssl_ca_location.as_str()),
        ];
        for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_empty()) {
            config.set(name, value);
        }
        config
    }

    /// A consumer that reads committed records and never resets or commits an offset by itself.
    pub fn reader(&self) -> ClientConfig {
        let mut config = self.client();
        // without a group, a client may not even be assigned partitions by hand
        config.set("group.id", &self.group);
        config.set("isolation.level", "read_committed");
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "error");
        config.set("fetch.wait.max.ms", self.fetch_wait.as_millis().to_string());
        // a fetch is decompressed whole, whatever the queue may hold
        config.set("fetch.message.max.bytes", "1048576");
        config.set("fetch.max.bytes", "8388608");
        config.set(
            "queued.max.messages.kbytes",
            (self.queue_size.as_u64() / 1024).max(1).to_string(),
        );
        config
    }

    /// A member of the consumer group.
    pub fn member(&self) -> ClientConfig {
        let mut config = self.reader();
        config.set("queued.min.messages", "200000");
        // how soon new partitions, and topics that were made anew, are seen
        config.set("topic.metadata.refresh.interval.ms", "10000");
        match self.group_protocol {
            GroupProtocol::Classic => {
                config.set("partition.assignment.strategy", "cooperative-sticky");
                config.set(
                    "session.timeout.ms",
                    self.session_timeout.as_millis().to_string(),
                );
            }
            // the broker decides on assignment and sessions, and the client refuses settings about them
            GroupProtocol::Consumer => {
                config.set("group.protocol", "consumer");
            }
        }
        config
    }

    /// A producer that a broken connection does not make repeat itself.
    pub fn producer(&self) -> ClientConfig {
        let mut config = self.client();
        config.set("enable.idempotence", "true");
        config.set("acks", "all");
        config.set("linger.ms", "5");
        config
    }
}

/// A list of partitions with offsets.
pub(crate) fn partitions<'a>(
    lanes: impl IntoIterator<Item = (&'a LaneId, Offset)>,
) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (lane, offset) in lanes {
        list.add_partition_offset(&lane.topic, lane.partition, offset)?;
    }
    Ok(list)
}

/// The lane of a record.
pub(crate) fn lane_of(message: &impl Message) -> LaneId {
    LaneId {
        topic: message.topic().to_owned(),
        partition: message.partition(),
    }
}

/// The lane of an entry in a list of partitions.
pub(crate) fn lane_at(element: &TopicPartitionListElem<'_>) -> LaneId {
    LaneId {
        topic: element.topic().to_owned(),
        partition: element.partition(),
    }
}

/// The first offset that a partition has, and the one behind its last. Blocks.
pub(crate) fn bounds<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    lane: &LaneId,
) -> KafkaResult<(i64, i64)> {
    consumer.fetch_watermarks(&lane.topic, lane.partition, BOUNDS)
}
