//! A KYC status counts from its own time on.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use service_runtime::clock::{Clock as _, SystemClock};
use uuid::Uuid;

use crate::{
    api::Api,
    story::{event, write},
};

const USER: Uuid = Uuid::from_u128(1);

/// A KYC decision at `at` that was read `ahead` before.
fn decision(at: DateTime<Utc>, ahead: TimeDelta, status: &str) -> Map<String, Value> {
    let decided_at = (at - ahead).to_rfc3339();
    let fields =
        json!({"user_id": USER, "role": "RIDER", "kyc_status": status, "decided_at": decided_at});
    event("user.kyc_verified", at, fields)
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
        event(
            "user.registered",
            now - TimeDelta::days(1),
            json!({"user_id": USER, "role": "RIDER"}),
        ),
        decision(now - hour, TimeDelta::zero(), "REJECTED"),
        // Producers whose clocks are ahead; the first by less than is flagged.
        decision(now + minute, minute, "VERIFIED"),
        decision(now + hour, hour, "REJECTED"),
    ];
    // Each in a part of its own, the latest first.
    for row in rows.into_iter().rev() {
        write(&api, "in_user", [row]).await;
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
