//! `topics check`, and what a member says of topics when it starts.

use crate::{
    kafka_admin::{admin, options},
    member::Program,
    platform::{Platform, until},
};
use ingestor::topics::check;
use rdkafka::admin::{AlterConfig, ResourceSpecifier};

async fn set(platform: &Platform, topic: &str, settings: &[(&str, &str)]) {
    let config = AlterConfig::new(ResourceSpecifier::Topic(topic));
    let config = settings
        .iter()
        .fold(config, |config, (name, value)| config.set(name, value));
    let altered = admin(platform).alter_configs([&config], &options()).await;
    altered.unwrap().remove(0).unwrap();
}

async fn is_refused(platform: &Platform, words: &[&str]) -> bool {
    until(async || match check(&platform.config).await {
        Ok(()) => words.is_empty(),
        Err(refused) => {
            let told = refused.to_string();
            !words.is_empty()
                && told.lines().count() == 1
                && words.iter().all(|word| told.contains(word))
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_loses_records_or_is_stamped_by_producers_is_refused() {
    let mut platform = Platform::new(1).await;
    let topic = &platform.config.topics.booking.clone();
    let broker = ("message.timestamp.type", "LogAppendTime");
    assert!(
        is_refused(&platform, &[]).await,
        "they are as they were made"
    );
    set(&platform, topic, &[("cleanup.policy", "compact"), broker]).await;
    assert!(is_refused(&platform, &[topic, "cleanup.policy compact"]).await);
    // what is not set is as Kafka has it
    set(&platform, topic, &[]).await;
    let mending =
        format!("--entity-name {topic} --add-config message.timestamp.type=LogAppendTime");
    assert!(is_refused(&platform, &[topic, "CreateTime", &mending]).await);
    // a topic that is missing hides nothing of another
    let user = platform.config.topics.user.clone();
    platform.config.topics.user = format!("{topic}.missing");
    let member = Program::start(&platform.config);
    assert!(
        until(async || member.log().contains(&mending)).await,
        "{}",
        member.log()
    );
    member.stop();
    platform.config.topics.user = user;
    set(&platform, topic, &[broker]).await;
    // it is not read
    set(&platform, &platform.config.kafka.dead_letter_topic, &[]).await;
    assert!(is_refused(&platform, &[]).await);
}
