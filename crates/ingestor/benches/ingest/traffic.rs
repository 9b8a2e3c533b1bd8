//! The records that every scenario reads, produced once by the simulator.

use crate::{arguments::Arguments, figure::Figure, rig::Rig, usage::between};
use anyhow::{Context as _, ensure};
use ingestor::Config;
use metadata_store::LaneId;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use shared_schema::Domain;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(20);

/// What stands in the topics.
pub(crate) struct Traffic {
    /// The end of each partition; all begin at 0.
    pub(crate) ends: BTreeMap<LaneId, i64>,
    /// How many records there are.
    pub(crate) total: u64,
    /// What producing them took.
    pub(crate) figure: Figure,
}

impl Traffic {
    /// Makes the topics and fills them.
    pub(crate) async fn produce(rig: &Rig, arguments: &Arguments) -> anyhow::Result<Self> {
        let config = rig.settings("none")?;
        ingestor::topics::create(&config).await?;
        let [events, days, seed] = [
            arguments.events.to_string(),
            arguments.days.to_string(),
            arguments.seed.to_string(),
        ];
        let options = [
            "history",
            "--events",
            &events,
            "--days",
            &days,
            "--location-days",
            &days,
            "--seed",
            &seed,
        ];
        let servers = rig.servers()?;
        let before = servers.cpu();
        let began = Instant::now();
        let mut simulator = rig.start_program("simulator", &options, "none", &[])?;
        simulator.await_work(arguments.limit())?;
        let took = began.elapsed();
        let cpu = between(&before, &servers.and("program", simulator.pid()).cpu());
        simulator.end()?;
        let ends = ends(&config)?;
        let total = ends
            .values()
            .map(|end| u64::try_from(*end).unwrap_or(0))
            .sum();
        ensure!(total > 0, "the simulator has sent nothing");
        let figure = Figure::new("simulator produces", total, took, &cpu);
        Ok(Self {
            ends,
            total,
            figure: figure.note(simulator.log_tail().lines().last().unwrap_or_default()),
        })
    }
}

fn ends(config: &Config) -> anyhow::Result<BTreeMap<LaneId, i64>> {
    let consumer: BaseConsumer = config.kafka.reader().create()?;
    let mut ends = BTreeMap::new();
    for domain in Domain::ALL {
        let topic = config.topics.topic_of(domain).to_owned();
        for partition in 0..config.kafka.partitions {
            let (_, end) = consumer
                .fetch_watermarks(&topic, partition, TIMEOUT)
                .with_context(|| format!("the end of {topic}/{partition}"))?;
            let topic = topic.clone();
            ends.insert(LaneId { topic, partition }, end);
        }
    }
    Ok(ends)
}
