//! The tiles of a second are opened down to what they count, whatever happens afterwards.

use crate::{drill::Drill, story::Story};

const REGIONS: [&str; 6] = [
    "",
    "state=Lagos",
    "state=Kano",
    "state=unknown",
    "city=unknown",
    "state=unknown&city=Ikeja",
];

fn questions() -> [String; 6] {
    REGIONS.map(|region| format!("/v1/metrics/realtime?{region}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tile_is_the_length_of_its_list_whatever_comes_after() {
    let story = Story::of(41, 1, 800);
    let (durable, stored) = (story.len() - 80, story.len() - 40);
    let mut drill = Drill::over(story, 41, durable, stored).await;
    drill.begin().await;
    drill.finish_settling().await;
    let lists = drill.lists_stay(&questions()).await;
    assert_eq!(lists.len(), 4 * REGIONS.len());
    // each tile has some
    for (opened, events) in &lists[..4] {
        assert!(!events.is_empty(), "{}", opened.answer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_that_can_be_opened_are_those_that_cannot() {
    let story = Story::of(42, 1, 800);
    let all = story.len();
    let mut drill = Drill::over(story, 42, all, all).await;
    drill.answers_are_those_without_cells(&questions()).await;
}
