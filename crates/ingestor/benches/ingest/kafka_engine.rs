//! ClickHouse's own `Kafka` table engine into the same tables and views.
//!
//! Each topic is a table whose rows are whole messages, since the tables keep the bytes as received. A materialized view
//! parses a message once into a tuple of the input table's own columns. Regions are taken where they stand as text;
//! events of which ours settles the region at once are marked as settled here, too, so that neither side does more.

use crate::{
    account, arguments::Arguments, figure::Figure, merges, rig::Rig, traffic::Traffic,
    usage::between,
};
use anyhow::ensure;
use event_store::Store;
use ingestor::Config;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use shared_schema::{Domain, EventType};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(20);

/// A set of settings to be measured.
struct Variant {
    name: &'static str,
    label: &'static str,
    settings: &'static str,
}

const VARIANTS: [Variant; 3] = [
    Variant {
        name: "engine_defaults",
        label: "(b) Kafka engine, defaults",
        settings: "",
    },
    // As fresh as ours: by default a row shows after 7.5 s, if a block is not full before.
    Variant {
        name: "engine_fresh",
        label: "(b) Kafka engine, blocks of 1 s",
        settings: ", kafka_flush_interval_ms = 1000",
    },
    // The largest blocks that come up in time; consumers for both cores.
    Variant {
        name: "engine_tuned",
        label: "(b) Kafka engine, tuned",
        settings: ", kafka_num_consumers = 2, kafka_poll_max_batch_size = 500000, kafka_max_block_size = 1000000, \
                   kafka_flush_interval_ms = 15000",
    },
];

/// The scenarios' names.
pub(crate) fn labels() -> [&'static str; 3] {
    VARIANTS.each_ref().map(|variant| variant.label)
}

/// With each set of settings.
pub(crate) async fn run(
    rig: &Rig,
    traffic: &Traffic,
    arguments: &Arguments,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for variant in &VARIANTS {
        println!("{}: {} records", variant.name, traffic.total);
        figures.push(variant.measure(rig, traffic, arguments.limit()).await?);
    }
    Ok(figures)
}

impl Variant {
    async fn measure(
        &self,
        rig: &Rig,
        traffic: &Traffic,
        limit: Duration,
    ) -> anyhow::Result<Figure> {
        let config = rig.settings(&format!("bench_{}", self.name))?;
        let store = rig.database(&config.clickhouse.database).await?;
        merges::come_to_rest(&store).await?;
        for domain in Domain::ALL {
            store.query(&self.queue(&config, domain)).execute().await?;
        }
        let servers = rig.servers()?;
        let before = servers.cpu();
        let began = Instant::now();
        for domain in Domain::ALL {
            store
                .query(&consume(&store, domain).await?)
                .execute()
                .await?;
        }
        self.await_commits(&config, traffic, limit).await?;
        let took = began.elapsed();
        let done = servers.cpu();
        for domain in Domain::ALL {
            for table in [format!("consume_{domain}"), format!("queue_{domain}")] {
                store
                    .query(&format!("DROP TABLE {table} SYNC"))
                    .execute()
                    .await?;
            }
        }
        // taking the tables away is no part of reading them
        let dropped = servers.cpu();
        merges::come_to_rest(&store).await?;
        let rested = servers.cpu();
        account::print(&store, self.label).await?;
        let stored: u64 = store
            .query("SELECT count() FROM events_raw")
            .fetch_one()
            .await?;
        ensure!(stored > 0, "the engine has stored nothing");
        rig.drop(&store).await?;
        let figure = Figure::new(self.label, traffic.total, took, &between(&before, &done));
        let note = format!(
            "{stored} rows stored; parses and does not validate{}",
            self.settings
        );
        Ok(figure.after(&between(&dropped, &rested)).note(note))
    }

    /// The table that reads a topic.
    fn queue(&self, config: &Config, domain: Domain) -> String {
        format!(
            "CREATE TABLE queue_{domain} (payload String) ENGINE = Kafka SETTINGS kafka_broker_list = '{}', \
             kafka_topic_list = '{}', kafka_group_name = '{}_{domain}', kafka_format = 'RawBLOB'{}",
            config.kafka.brokers,
            config.topics.topic_of(domain),
            self.name,
            self.settings
        )
    }

    /// Waits until the engine has committed the ends of all partitions, which it does after its inserts.
    async fn await_commits(
        &self,
        config: &Config,
        traffic: &Traffic,
        limit: Duration,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let mut durable = 0;
            for domain in Domain::ALL {
                durable += self.committed(config, traffic, domain)?;
            }
            if u64::try_from(durable)? >= traffic.total {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{}: {durable} of {} records are committed after {limit:?}",
                self.name,
                traffic.total
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// The sum of the offsets that the engine has committed of a topic; each topic is read by a group of its own, so
    /// that no table waits for the joining of another.
    fn committed(&self, config: &Config, traffic: &Traffic, domain: Domain) -> anyhow::Result<i64> {
        let group = format!("{}_{domain}", self.name);
        let consumer: BaseConsumer = config.kafka.reader().set("group.id", group).create()?;
        let topic = config.topics.topic_of(domain);
        let mut asked = TopicPartitionList::new();
        for lane in traffic.ends.keys().filter(|lane| lane.topic == topic) {
            asked.add_partition(topic, lane.partition);
        }
        let committed = consumer.committed_offsets(asked, TIMEOUT)?;
        let offsets = committed
            .elements()
            .into_iter()
            .map(|element| element.offset());
        Ok(offsets
            .filter_map(|offset| match offset {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            })
            .sum())
    }
}

/// The view that parses a topic's messages. What is no JSON object, or of no known type, is left out.
async fn consume(store: &Store, domain: Domain) -> anyhow::Result<String> {
    let own = own_columns(store, domain).await?;
    let types: Vec<String> = EventType::ALL
        .iter()
        .map(|kind| format!("\\'{}\\' = {}", kind.as_str(), kind.code()))
        .collect();
    let fields: Vec<String> = own
        .iter()
        .map(|(name, kind)| format!("{name} {}", kind.replace('\'', "\\'")))
        .collect();
    let names: Vec<String> = own
        .iter()
        .map(|(name, _)| format!("e.{name} AS {name}"))
        .collect();
    let region = match domain {
        Domain::Route => "origin_",
        _ => "",
    };
    let region_fields = match domain {
        Domain::Route => "",
        _ => "state LowCardinality(String), city LowCardinality(String), ",
    };
    Ok(format!(
        "CREATE MATERIALIZED VIEW consume_{domain} TO in_{domain} AS \
         SELECT toUUID('00000000-0000-0000-0000-000000000000') AS batch, batch AS mark, 'ingest' AS phase, \
            if(empty(e.event_id), generateUUIDv4(), e.event_id) AS event_id, assumeNotNull(e.event_type) AS event_type, \
            e.event_timestamp AS event_timestamp, \
            if(e.schema_version = '', '1-0-0', e.schema_version) AS schema_version, e.trace_id AS trace_id, \
            topic AS kafka_topic, toUInt32(lane) AS kafka_partition, position AS kafka_offset, \
            assumeNotNull(time) AS kafka_timestamp, now64(3, 'UTC') AS decided_at, \
            event_timestamp > decided_at + INTERVAL 5 MINUTE AS clock_skew, payload, \
            ifNull(e.{region}state, '') AS state, ifNull(e.{region}city, '') AS city, \
            event_type IN ('user.registered', 'booking.created', 'route.created', 'driver.location.updated') \
                AS region_settled, {names} \
         FROM (SELECT payload, _topic AS topic, _partition AS lane, _offset AS position, _timestamp_ms AS time, \
            JSONExtract(payload, 'Tuple(event_id UUID, event_type Nullable(Enum8({types})), \
                event_timestamp DateTime64(3, \\'UTC\\'), schema_version LowCardinality(String), trace_id String, \
                {region_fields}{fields})') AS e \
            FROM queue_{domain}) \
         WHERE e.event_type IS NOT NULL",
        names = names.join(", "),
        types = types.join(", "),
        fields = fields.join(", "),
    ))
}

/// Names and types of the columns of a domain's own.
async fn own_columns(store: &Store, domain: Domain) -> anyhow::Result<Vec<(String, String)>> {
    let sql = format!(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'in_{domain}' \
         AND position > (SELECT position FROM system.columns WHERE database = currentDatabase() \
            AND table = 'in_{domain}' AND name = 'region_settled') ORDER BY position"
    );
    Ok(store.query(&sql).fetch_all().await?)
}
