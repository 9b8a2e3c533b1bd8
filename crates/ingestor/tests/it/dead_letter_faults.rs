//! The topic of the dead letters is missing, takes nothing, or does not take all.

use crate::{
    dead_letter_topic::{published, sources},
    kafka_admin::{admin, options},
    member::Program,
    platform::{Platform, until},
    story::Story,
};
use rdkafka::admin::{AlterConfig, ResourceSpecifier};
use sha2::{Digest, Sha256};

/// Waits until the member cannot publish; what has dead letters is then neither written nor passed by.
async fn held(platform: &Platform, member: &Program, story: &Story) {
    let tried = until(async || member.log().contains("cannot publish a dead letter")).await;
    assert!(tried, "it was not tried: {}", member.log());
    assert_eq!(platform.dead_letters().await.len(), 0);
    assert!(!platform.is_drained(story.len()).await);
}

async fn told(platform: &Platform, story: &Story) {
    platform.drained(story.len()).await;
    story.assert_told(platform).await;
    let letters: u64 = story.reasons().values().sum();
    assert!(letters > 0, "the story has no dead letters");
    // a letter may be there more than once, under the same source
    assert_eq!(sources(&published(platform)).len() as u64, letters);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_holds_what_has_dead_letters_until_it_is_made() {
    let platform = Platform::new(1).await;
    let story = Story::new(141, 80);
    let topic = platform.config.kafka.dead_letter_topic.as_str();
    let deleted = admin(&platform).delete_topics(&[topic], &options()).await;
    deleted.unwrap().pop().unwrap().unwrap();
    let member = Program::start(&platform.config);
    platform.send(story.records());
    held(&platform, &member, &story).await;
    ingestor::topics::create(&platform.config).await.unwrap();
    told(&platform, &story).await;
    member.stop();
}

async fn set(platform: &Platform, name: &str, value: &str) {
    let topic = ResourceSpecifier::Topic(&platform.config.kafka.dead_letter_topic);
    let change = AlterConfig::new(topic).set(name, value);
    let admin = admin(platform);
    let changed = admin.alter_configs([&change], &options()).await.unwrap();
    assert!(changed.into_iter().all(|outcome| outcome.is_ok()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_takes_nothing_holds_what_has_dead_letters_until_it_does() {
    let platform = Platform::new(1).await;
    let story = Story::new(142, 80);
    // not even a note about a letter that is too large fits
    set(&platform, "max.message.bytes", "100").await;
    let member = Program::start(&platform.config);
    platform.send(story.records());
    held(&platform, &member, &story).await;
    set(&platform, "max.message.bytes", "1000000").await;
    told(&platform, &story).await;
    member.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_the_topic_is_told_with_its_hash_and_its_neighbours_are_whole() {
    let platform = Platform::new(1).await;
    set(&platform, "max.message.bytes", "6000").await;
    let topic = platform.config.topics.booking.clone();
    let large = vec![b'x'; 50_000];
    let small = vec![b'y'; 3_000];
    for value in [&small, &large, &small, &small, &large, &small] {
        platform.send_raw(&topic, b"key", value);
    }
    platform.flush();
    let member = platform.start();
    platform.drained(6).await;
    member.stop().await;
    let letters = published(&platform);
    assert_eq!(sources(&letters).len(), 6);
    for letter in &letters {
        let is_large = ["1", "4"].contains(&letter.headers["source_offset"].as_str());
        let told = ["truncated_from_bytes", "truncated_from_sha256"]
            .map(|name| letter.headers.get(name).cloned());
        if is_large {
            let hash: String = Sha256::digest(&large)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(told, [Some("50000".to_owned()), Some(hash)]);
            assert!(large.starts_with(&letter.value));
        } else {
            assert_eq!(told, [None, None]);
            assert!(letter.value == small, "a neighbour is not whole");
        }
    }
    let stored = "(SELECT sum(length(payload)) FROM dead_letters)";
    assert_eq!(platform.number(stored).await, 2 * 50_000 + 4 * 3_000);
    platform.assert_balanced().await;
}
