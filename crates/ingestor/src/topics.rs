//! `topics create` and `topics check`: what the topics must be like.

use crate::config::Config;
use anyhow::{Context, bail};
use rdkafka::{
    admin::{
        AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
    },
    client::DefaultClientContext,
    error::RDKafkaErrorCode,
};
use shared_schema::Subscriptions;
use std::time::Duration;
use tracing::warn;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Makes the topics that are missing: the subscribed ones and the dead letters'.
pub async fn create(config: &Config) -> anyhow::Result<()> {
    let kafka = &config.kafka;
    let admin: AdminClient<DefaultClientContext> = kafka.client().create()?;
    let retention = kafka.retention.as_millis().to_string();
    let names = names(config)?;
    let topics = names.iter().map(|name| {
        NewTopic::new(
            name,
            kafka.partitions,
            TopicReplication::Fixed(kafka.replication),
        )
        .set("cleanup.policy", "delete")
        .set("retention.ms", &retention)
        // `complete_through` is about arrival at the broker, so the broker's clock stamps the records
        .set("message.timestamp.type", "LogAppendTime")
    });
    let topics: Vec<_> = topics.collect();
    let made = admin
        .create_topics(
            &topics,
            &AdminOptions::new().operation_timeout(Some(TIMEOUT)),
        )
        .await?;
    for outcome in made {
        match outcome {
            Ok(name) => println!("{name}: created"),
            Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => println!("{name}: exists"),
            Err((name, code)) => bail!("{name} cannot be created: {code}"),
        }
    }
    Ok(())
}

/// Says what is wrong with the topics.
///
/// # Errors
/// When a topic is missing, would lose records without a trace, or does not tell when they arrived.
pub async fn check(config: &Config) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = config.kafka.client().create()?;
    let mut faults = Vec::new();
    for name in names(config)? {
        let metadata = admin
            .inner()
            .fetch_metadata(Some(&name), TIMEOUT)
            .context("Kafka does not answer")?;
        let partitions = metadata
            .topics()
            .first()
            .map_or(0, |topic| topic.partitions().len());
        if partitions == 0 {
            faults.push(format!(
                "{name} does not exist: run `ingestor topics create`"
            ));
            continue;
        }
        let topic = describe(&admin, &name).await?;
        let policy = setting(&topic, "cleanup.policy");
        println!("{name}: {partitions} partitions, cleanup.policy {policy}");
        if policy != "delete" {
            faults.push(format!(
                "{name} has cleanup.policy {policy}, which removes records unread: set it to delete"
            ));
        }
        faults.extend(producers_clock(config, &name, &topic));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        bail!("{}", faults.join("\n"))
    }
}

/// Warns of topics whose records do not tell when they arrived.
pub(crate) async fn warn_of_producers_clocks(config: Config) {
    let unknown = |failure: anyhow::Error| {
        warn!(
            reason = format!("{failure:#}"),
            "whose clock stamps the records is not known"
        );
    };
    let warning = async {
        let admin: AdminClient<DefaultClientContext> = config.kafka.client().create()?;
        for name in names(&config)? {
            match describe(&admin, &name).await {
                Ok(topic) => producers_clock(&config, &name, &topic)
                    .into_iter()
                    .for_each(|fault| warn!("{fault}")),
                Err(failure) => unknown(failure),
            }
        }
        anyhow::Ok(())
    };
    warning.await.unwrap_or_else(unknown);
}

/// What is wrong with a topic whose records are stamped by their producers, if it is read.
fn producers_clock(config: &Config, name: &str, topic: &ConfigResource) -> Option<String> {
    let stamped = setting(topic, "message.timestamp.type");
    let is_read = name != config.kafka.dead_letter_topic;
    (is_read && stamped != "LogAppendTime").then(|| {
        format!(
            "{name} has message.timestamp.type {stamped}: when a record arrived is not known, so complete_through stands \
             still while a backlog is read. Run `kafka-configs.sh --bootstrap-server {} --alter \
             --entity-type topics --entity-name {name} --add-config message.timestamp.type=LogAppendTime`",
            config.kafka.brokers
        )
    })
}

async fn describe(
    admin: &AdminClient<DefaultClientContext>,
    name: &str,
) -> anyhow::Result<ConfigResource> {
    let described = admin
        .describe_configs(&[ResourceSpecifier::Topic(name)], &AdminOptions::new())
        .await?;
    let resource = described
        .into_iter()
        .next()
        .context("Kafka says nothing of the topic")?;
    resource.map_err(|code| anyhow::anyhow!("{name} cannot be described: {code}"))
}

fn setting<'a>(topic: &'a ConfigResource, name: &str) -> &'a str {
    let entry = topic.get(name);
    entry
        .and_then(|entry| entry.value.as_deref())
        .unwrap_or_default()
}

fn names(config: &Config) -> anyhow::Result<Vec<String>> {
    let sources = Subscriptions::new(&config.topics)?;
    let subscribed = sources.topics().map(str::to_owned);
    Ok(subscribed
        .chain([config.kafka.dead_letter_topic.clone()])
        .collect())
}
