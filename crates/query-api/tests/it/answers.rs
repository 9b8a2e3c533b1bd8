//! Every metric equals the answer key to the last digit.

use chrono::Duration;
use serde_json::json;
use simulator::answer::{Asked, Granularity};

use crate::{
    api::Api,
    story::{Story, range},
};

#[tokio::test(flavor = "multi_thread")]
async fn all_metrics_equal_the_answer_key() {
    let story = Story::of(11, 4, 1_500);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    story.settle(&api).await;
    // it has what the answers about payments are about
    let whole = range(story.start, story.end);
    let payments = api.json(&format!("/v1/metrics/payments?{whole}")).await;
    assert_ne!(payments["payments_failed"], 0);
    assert_ne!(payments["payments_refunded"], 0);
    assert_ne!(payments["other_currencies"], json!({}));

    let (lagos, kolkata) = (chrono_tz::Africa::Lagos, chrono_tz::Asia::Kolkata);
    let on_grid = story.on_grid();
    let tomorrow = on_grid + Duration::days(6);
    let odd = story.start + Duration::milliseconds(30 * 3_600_000 + 123_457);
    for asked in [
        Asked::over(on_grid, tomorrow, lagos, story.end),
        Asked::over(on_grid, on_grid + Duration::days(3), kolkata, story.end),
        Asked::over(
            odd,
            story.end - Duration::milliseconds(7_654_321),
            lagos,
            story.end,
        ),
        Asked::over(odd, odd + Duration::seconds(200), lagos, story.end),
        Asked::over(on_grid, story.end, lagos, story.end).by(Granularity::Daily),
        Asked::over(on_grid, tomorrow, kolkata, story.end).by(Granularity::Daily),
        Asked::over(odd, story.end, kolkata, story.end).by(Granularity::Hourly),
        Asked::over(on_grid, story.end, lagos, story.end).by(Granularity::Weekly),
        Asked::over(on_grid, story.end, lagos, story.end).by(Granularity::Monthly),
        Asked::over(odd, tomorrow, kolkata, story.end).by(Granularity::Hourly),
        Asked::over(
            on_grid - Duration::days(300),
            on_grid - Duration::days(200),
            lagos,
            story.end,
        ),
    ] {
        story.metrics_are_told(&api, &asked).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_region_equals_the_answer_key_once_it_is_settled() {
    let story = Story::of(12, 4, 1_500);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    story.settle(&api).await;

    let lagos = chrono_tz::Africa::Lagos;
    let on_grid = story.on_grid();
    let odd = story.start + Duration::milliseconds(30 * 3_600_000 + 123_457);
    let asked = |state: Option<&str>, city: Option<&str>| {
        [
            Asked::over(on_grid, on_grid + Duration::days(6), lagos, story.end)
                .in_region(state, city),
            Asked::over(on_grid, on_grid + Duration::days(6), lagos, story.end)
                .in_region(state, city)
                .by(Granularity::Daily),
            Asked::over(
                odd,
                story.end - Duration::milliseconds(999),
                lagos,
                story.end,
            )
            .in_region(state, city)
            .by(Granularity::Daily),
            Asked::over(odd, on_grid + Duration::days(6), lagos, story.end)
                .in_region(state, city)
                .by(Granularity::Hourly),
        ]
    };
    let regions = story.key.regions();
    let some = regions.iter().step_by(regions.len() / 5 + 1);
    let mut questions = Vec::new();
    for region in some.filter(|region| region.state != "unknown") {
        questions.extend(asked(Some(region.state), None));
        if region.city != "unknown" {
            questions.extend(asked(Some(region.state), Some(region.city)));
        }
    }
    for (state, city) in [
        (Some("unknown"), None),
        (None, Some("unknown")),
        (Some("unknown"), Some("unknown")),
        (Some("unknown"), Some("Ikeja")),
        (None, Some("Ikeja")),
        (Some("Lagos"), Some("unknown")),
    ] {
        questions.extend(asked(state, city));
    }
    for asked in questions {
        story.metrics_are_told(&api, &asked).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tiles_equal_the_answer_key_at_every_second() {
    let story = Story::of(13, 1, 2_000);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    story.settle(&api).await;
    api.lane(
        "openride.events.booking",
        0,
        0,
        story.end - Duration::seconds(45),
    )
    .await;

    for back in [0, 1, 899, 3_600, 7_201] {
        let now = story.end - Duration::seconds(back);
        api.clock.set(now + Duration::milliseconds(700));
        for (state, city) in [
            (None, None),
            (Some("Lagos"), None),
            (Some("unknown"), None),
            (None, Some("unknown")),
        ] {
            let asked = Asked::over(now, now + Duration::seconds(1), chrono_tz::UTC, now)
                .in_region(state, city);
            api.tells(&asked.tiles(&story.key)).await;
        }
    }
    api.clock.set(story.end);
    let answer = api.json("/v1/metrics/realtime").await;
    assert_eq!(answer["system_health"], "degraded");
    assert_eq!(answer["ingest_lag_seconds"], 45);
}
