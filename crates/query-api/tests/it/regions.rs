//! Regions add up to the total, whether or not the facts are settled.

use std::collections::HashSet;

use chrono::Duration;
use serde_json::Value;
use simulator::answer::{Asked, encoded};
use uuid::Uuid;

use crate::{answers::check, api::Api, story::Story};

const ADDITIVE: [(&str, &[&str]); 4] = [
    ("users", &["new_registrations"]),
    (
        "bookings",
        &[
            "bookings_created",
            "bookings_confirmed",
            "bookings_cancelled",
            "bookings_completed",
            "total_booking_value",
        ],
    ),
    (
        "payments",
        &[
            "payments_initiated",
            "payments_success",
            "payments_failed",
            "payments_refunded",
            "total_revenue",
            "total_refunded",
        ],
    ),
    (
        "trips",
        &[
            "trips_started",
            "trips_completed",
            "trips_cancelled",
            "total_driver_earnings",
            "total_platform_commission",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn regions_add_up_before_and_after_settling() {
    let story = Story::of(21, 3, 600);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    let on_grid = story.start - Duration::seconds(story.start.timestamp().rem_euclid(900));
    let whole = Asked::over(
        on_grid,
        on_grid + Duration::days(5),
        chrono_tz::Africa::Lagos,
        story.end,
    );
    let odd = Asked::over(
        story.start + Duration::seconds(100_001),
        story.end,
        chrono_tz::Africa::Lagos,
        story.end,
    );

    check(&api, &story.key, &without_refunds_by_method(&whole)).await;
    let waiting = api
        .json(&format!(
            "/v1/metrics/payments?{}&state=Lagos",
            whole.parameters()
        ))
        .await;
    assert!(waiting["unsettled"].as_u64().unwrap() > 0);
    assert_eq!(waiting["payments_success"], 0);
    add_up(&api, &story, &whole.parameters()).await;
    add_up(&api, &story, &odd.parameters()).await;

    story.settle(&api).await;
    let settled = api
        .json(&format!(
            "/v1/metrics/payments?{}&state=Lagos",
            whole.parameters()
        ))
        .await;
    assert_eq!(settled["unsettled"], 0);
    assert_ne!(settled["payments_success"], 0);
    add_up(&api, &story, &whole.parameters()).await;
    add_up(&api, &story, &odd.parameters()).await;
}

/// Before settling, refunds stand under the unknown method: a question over none of them.
fn without_refunds_by_method(asked: &Asked) -> Asked {
    let range = asked.question.range;
    let at = |ms| chrono::DateTime::from_timestamp_millis(ms).unwrap();
    Asked::over(
        at(range.start_ms),
        at(range.start_ms + 900_000),
        range.zone,
        at(asked.question.now_ms),
    )
}

async fn add_up(api: &Api, story: &Story, parameters: &str) {
    for (metric, fields) in ADDITIVE {
        let total = api
            .json(&format!("/v1/metrics/{metric}?{parameters}"))
            .await;
        let mut sums = vec![0; fields.len()];
        for state in story.states() {
            let path = format!("/v1/metrics/{metric}?{parameters}&state={}", encoded(state));
            let answer = api.json(&path).await;
            for (sum, field) in sums.iter_mut().zip(fields) {
                *sum += number(&answer[*field]);
            }
        }
        for (sum, field) in sums.into_iter().zip(fields) {
            assert_eq!(sum, number(&total[*field]), "{metric} {field} {parameters}");
        }
    }
}

/// A count, or an amount in kobo.
fn number(value: &Value) -> i64 {
    match value {
        Value::String(amount) => amount.replace('.', "").parse().unwrap(),
        count => count.as_i64().unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_known_region_is_not_in_the_unknown_one() {
    let story = Story::of(22, 4, 1_000);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    story.settle(&api).await;
    // The local day of the end may be young: windows of whole days would leave the question open.
    let end = story.end + Duration::days(2);
    let asked = Asked::over(story.start, end, chrono_tz::UTC, story.end);
    let answer = api
        .json(&format!(
            "/v1/metrics/users?{}&state=unknown",
            asked.parameters()
        ))
        .await;
    let everybody = story.named_since(
        story.start - Duration::days(40),
        &["user_id", "rider_id", "driver_id"],
    );
    let (known, all): (HashSet<Uuid>, HashSet<Uuid>) = (
        everybody
            .iter()
            .filter(|(_, known)| *known)
            .map(|(id, _)| *id)
            .collect(),
        everybody.iter().map(|(id, _)| *id).collect(),
    );
    let named_in_unknown = everybody.iter().filter(|(_, known)| !known).count();
    assert!(named_in_unknown > 0, "the story has nothing unknown");
    assert_eq!(answer["mau"], all.difference(&known).count());

    let newcomer = story.newcomer_without_region(&api).await;
    let answer = api
        .json(&format!(
            "/v1/metrics/users?{}&state=unknown",
            asked.parameters()
        ))
        .await;
    assert_eq!(
        answer["mau"],
        all.difference(&known).count() + 1,
        "{newcomer}"
    );
}
