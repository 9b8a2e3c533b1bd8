//! Regions add up to the total, whether or not the facts are settled.

use std::collections::HashSet;

use chrono::{DateTime, Duration, SubsecRound, Utc};
use serde_json::{Map, Value, json};
use service_runtime::clock::{Clock, SystemClock};
use simulator::answer::{Asked, encoded};
use uuid::Uuid;

use crate::{
    api::Api,
    story::{Story, event, object, write},
};

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
    let on_grid = story.on_grid();
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

    let asked = without_refunds_by_method(&whole);
    story.metrics_are_told(&api, &asked).await;
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
    let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
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

/// An event of the one booking, trip and route, whose region is known to be Lagos or waits.
fn of_the_one(kind: &str, at: DateTime<Utc>, settled: bool) -> Map<String, Value> {
    let fields = json!({
        "booking_id": Uuid::from_u128(1), "trip_id": Uuid::from_u128(2), "route_id": Uuid::from_u128(3),
        "seats_total": 4, "seats_booked": 2, "scheduled_departure": at.to_rfc3339(), "total_price": "10.00",
    });
    let mut row = event(kind, at, fields);
    if !settled {
        let waits = json!({"state": "", "city": "", "region_settled": false});
        row.extend(object(waits));
    }
    row
}

/// What is true of everything, of the region, and of the unknown one.
async fn everywhere_in_lagos_and_unknown<T>(ask: impl AsyncFn(&'static str) -> T) -> [T; 3] {
    [
        ask("").await,
        ask("state=Lagos").await,
        ask("state=unknown").await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_whose_end_waits_for_its_region_is_under_way_nowhere() {
    let now = SystemClock.now().trunc_subsecs(0);
    let api = Api::start(now).await;
    let active = || {
        everywhere_in_lagos_and_unknown(async |region| {
            let path = format!("/v1/metrics/realtime?{region}");
            api.json(&path).await["active_trips"].clone()
        })
    };
    let began = of_the_one("trip.started", now - Duration::minutes(40), true);
    write(&api, "in_trip", [began]).await;
    assert_eq!(active().await, [1, 1, 0]);
    let ended = of_the_one("trip.completed", now - Duration::seconds(10), false);
    write(&api, "in_trip", [ended]).await;
    assert_eq!(active().await, [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_whose_cancellation_waits_for_its_region_takes_no_seat() {
    let now = SystemClock.now().trunc_subsecs(0);
    let api = Api::start(now).await;
    let ago = |hours| now - Duration::hours(hours);
    let occupancy = || {
        everywhere_in_lagos_and_unknown(async |region| {
            let path = format!("/v1/metrics/routes?{region}");
            api.json(&path).await["routes"][0]["avg_occupancy"].clone()
        })
    };
    let created = of_the_one("route.created", ago(9), true);
    write(&api, "in_route", [created]).await;
    let booked = [
        of_the_one("booking.created", ago(8), true),
        of_the_one("booking.confirmed", ago(7), true),
    ];
    write(&api, "in_booking", booked).await;
    let (half, none) = (json!(50.0), Value::Null);
    assert_eq!(
        occupancy().await,
        [half.clone(), half.clone(), none.clone()]
    );
    let cancelled = of_the_one("booking.cancelled", ago(6), false);
    write(&api, "in_booking", [cancelled]).await;
    assert_eq!(occupancy().await, [none.clone(), none.clone(), none]);
}
