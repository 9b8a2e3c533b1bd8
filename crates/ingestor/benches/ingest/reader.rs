//! A bare consumer with the ingestor's settings.

use crate::{arguments::Arguments, figure::Figure, rig::Rig, traffic::Traffic, usage::between};
use anyhow::ensure;
use ingestor::Config;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::BorrowedMessage,
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(100);

/// Reads everything and does nothing with it.
pub(crate) fn run(rig: &Rig, traffic: &Traffic, arguments: &Arguments) -> anyhow::Result<Figure> {
    println!("reader: {} records", traffic.total);
    let watched = rig.servers()?.and_this();
    let before = watched.cpu();
    let began = Instant::now();
    read_all(
        &rig.settings("none")?,
        traffic,
        arguments.limit(),
        |message| {
            black_box(&message);
            Ok(())
        },
    )?;
    let took = began.elapsed();
    let cpu = between(&before, &watched.cpu());
    Ok(Figure::new(
        "(c) bare librdkafka reader",
        traffic.total,
        took,
        &cpu,
    ))
}

/// Reads all partitions from their beginnings to their ends.
pub(crate) fn read_all(
    config: &Config,
    traffic: &Traffic,
    limit: Duration,
    mut take: impl FnMut(&BorrowedMessage<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let consumer: BaseConsumer = config.kafka.member().create()?;
    let mut list = TopicPartitionList::new();
    for lane in traffic.ends.keys() {
        list.add_partition_offset(&lane.topic, lane.partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let deadline = Instant::now() + limit;
    let mut left = traffic.total;
    while left > 0 {
        if let Some(message) = consumer.poll(POLL) {
            take(&message?)?;
            left -= 1;
        } else {
            ensure!(
                Instant::now() < deadline,
                "{left} records were not read in {limit:?}"
            );
        }
    }
    Ok(())
}
