//! What was published to the dead-letter topic.

use crate::platform::{PATIENCE, Platform};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// A record of the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub headers: BTreeMap<String, String>,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// Everything in the topic, to its end.
pub fn published(platform: &Platform) -> Vec<Published> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &platform.config.kafka.brokers)
        .set("group.id", "a reader of dead letters")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let partitions = platform.config.kafka.partitions;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        let topic = &platform.config.kafka.dead_letter_topic;
        list.add_partition_offset(topic, partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut found, mut ended, started) = (Vec::new(), 0, Instant::now());
    while ended < partitions {
        assert!(
            started.elapsed() < PATIENCE,
            "the end of the dead letters never came"
        );
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => found.push(read(&message)),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    found
}

/// Where each letter came from: topic, partition and offset.
pub fn sources(letters: &[Published]) -> BTreeSet<[String; 3]> {
    let names = ["source_topic", "source_partition", "source_offset"];
    letters
        .iter()
        .map(|letter| names.map(|name| letter.headers[name].clone()))
        .collect()
}

fn read(message: &BorrowedMessage<'_>) -> Published {
    let headers = message.headers().unwrap();
    let text =
        |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap();
    Published {
        headers: headers
            .iter()
            .map(|header| (header.key.to_owned(), text(header.value)))
            .collect(),
        key: message.key().unwrap_or_default().to_vec(),
        value: message.payload().unwrap_or_default().to_vec(),
    }
}
