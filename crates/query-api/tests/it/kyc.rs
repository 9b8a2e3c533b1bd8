//! A KYC status counts from its own time on.

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use service_runtime::clock::{Clock, SystemClock};
use uuid::Uuid;

use crate::{api::Api, story::write};

const USER: Uuid = Uuid::from_u128(1);

/// A KYC decision at `at` that was read `ahead` before.
fn decision(at: DateTime<Utc>, ahead: TimeDelta, status: &str) -> Map<String, Value> {
    let mut row = event(at, "user.kyc_verified");
    row.insert("kyc_status".to_owned(), json!(status));
    row.insert("decided_at".to_owned(), json!(text(at - ahead)));
    row
}

fn event(at: DateTime<Utc>, event_type: &str) -> Map<String, Value> {
    let row = json!({
        "event_id": Uuid::from_u128(at.timestamp().unsigned_abs().into()), "event_type": event_type,
        "event_timestamp": text(at), "decided_at": text(at), "kafka_timestamp": text(at),
        "mark": Uuid::nil(), "batch": Uuid::from_u128(9), "phase": "ingest", "user_id": USER, "role": "RIDER",
        "state": "Lagos", "city": "Ikeja", "region_settled": true,
    });
    row.as_object().unwrap().clone()
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

async fn completion_rate(api: &Api) -> Value {
    let users = api.json("/v1/metrics/users?state=Lagos").await;
    users["kyc_completion_rate"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_from_the_future_waits_for_its_time() {
    let now = SystemClock.now().trunc_subsecs(0);
    let api = Api::start(now).await;
    let (hour, minute) = (TimeDelta::hours(1), TimeDelta::minutes(1));
    let rows = [
        event(now - TimeDelta::days(1), "user.registered"),
        decision(now - hour, TimeDelta::zero(), "REJECTED"),
        // Producers whose clocks are ahead; the first by less than is flagged.
        decision(now + minute, minute, "VERIFIED"),
        decision(now + hour, hour, "REJECTED"),
    ];
    // Each in a part of its own, the latest first.
    for row in rows.into_iter().rev() {
        write(&api, "in_user", std::iter::once(row)).await;
    }
    assert_eq!(completion_rate(&api).await, 0.0);
    api.clock.set(now + minute);
    assert_eq!(completion_rate(&api).await, 100.0);
    api.clock.set(now + hour);
    assert_eq!(completion_rate(&api).await, 0.0);
    api.execute("OPTIMIZE TABLE users_state FINAL").await;
    assert_eq!(completion_rate(&api).await, 0.0);
    api.clock.set(now + minute);
    assert_eq!(completion_rate(&api).await, 100.0);
}
