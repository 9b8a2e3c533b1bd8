//! The tiles of a second are opened down to what they count, whatever happens afterwards.

use chrono::Duration;

use crate::{
    cells::EFFORT,
    drill::{Drill, closed},
    story::Story,
};

const REGIONS: [&str; 6] = [
    "",
    "&state=Lagos",
    "&state=Kano",
    "&state=unknown",
    "&city=unknown",
    "&state=unknown&city=Ikeja",
];

fn question(region: &str) -> String {
    format!("/v1/metrics/realtime?{}", region.trim_start_matches('&'))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tile_is_the_length_of_its_list_whatever_comes_after() {
    let story = Story::of(41, 1, 800);
    let (all, stored, durable) = (story.len(), story.len() - 40, story.len() - 80);
    let mut drill = Drill::over(story, 41, durable, EFFORT).await;
    drill.story.ingest_those(&drill.api, 0..stored).await;
    let settled = |offset: usize| offset < stored && !offset.is_multiple_of(3);
    let before = drill.story.end - Duration::seconds(2);
    drill.story.settle_those(&drill.api, settled, before).await;
    drill.story.finish_settling(&drill.api).await;
    drill.durable_up_to(durable).await;
    let mut lists = Vec::new();
    for region in REGIONS {
        let (answer, opened) = drill.asked(&question(region)).await;
        assert_eq!(opened.len(), 4, "{answer}");
        for opened in opened {
            let events = drill.check(&opened).await;
            lists.push((opened, events));
        }
    }
    // each of them has some
    for (opened, events) in &lists[..4] {
        assert!(!events.is_empty(), "{}", opened.answer);
    }

    drill.story.ingest_those(&drill.api, stored..all).await;
    let rest = |offset| !settled(offset);
    drill
        .story
        .settle_those(&drill.api, rest, drill.story.end)
        .await;
    drill.story.finish_settling(&drill.api).await;
    drill.lists_are_still(&lists).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_that_can_be_opened_are_those_that_cannot() {
    let story = Story::of(42, 1, 800);
    let all = story.len();
    let mut drill = Drill::over(story, 42, all, EFFORT).await;
    drill.story.ingest(&drill.api).await;
    let half = |offset: usize| offset.is_multiple_of(2);
    drill
        .story
        .settle_those(&drill.api, half, drill.story.end)
        .await;
    drill.story.finish_settling(&drill.api).await;
    drill.durable_up_to(all).await;
    for region in REGIONS {
        let question = question(region);
        let (opened, _) = drill.asked(&question).await;
        assert_eq!(
            closed(&opened),
            drill.api.json(&question).await,
            "{question}"
        );
    }
}
