//! Whoever is active around midnight counts in the local day, also where the clock was moved.

use chrono::{DateTime, TimeZone as _, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    api::Api,
    story::{event, write},
};

/// A decision about a user on a day of October 2024.
fn decision(user: u128, day: u32, hour: u32, minute: u32) -> Map<String, Value> {
    let at: DateTime<Utc> = Utc
        .with_ymd_and_hms(2024, 10, day, hour, minute, 0)
        .unwrap();
    let fields = json!({"user_id": Uuid::from_u128(user), "kyc_status": "VERIFIED"});
    event("user.kyc_verified", at, fields)
}

async fn active_users(api: &Api, parameters: &str) -> Vec<u64> {
    let path = format!("/v1/metrics/users?include_time_series=true{parameters}");
    let answer = api.json(&path).await;
    let points = answer["time_series"].as_array().unwrap();
    let active = points.iter().map(|point| point["active_users"].as_u64());
    active.map(Option::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_day_has_the_users_of_its_hours() {
    let api = Api::start(Utc.with_ymd_and_hms(2024, 11, 20, 12, 0, 0).unwrap()).await;
    let rows = [
        decision(1, 26, 21, 45),
        decision(1, 26, 22, 0),
        decision(2, 27, 22, 45),
        decision(2, 27, 23, 0),
        decision(3, 27, 22, 30),
        decision(4, 25, 22, 0),
        decision(4, 28, 22, 45),
    ];
    // Each in a part of its own.
    for row in rows {
        write(&api, "in_user", [row]).await;
    }
    let days = "&start_date=2024-10-26&end_date=2024-10-28";
    // The 27th began at 22:00 UTC and ended at 23:00.
    let berlin = format!("{days}&tz=Europe/Berlin");
    assert_eq!(active_users(&api, &berlin).await, [2, 3, 2]);
    let lagos = format!("{days}&tz=Africa/Lagos");
    assert_eq!(active_users(&api, &lagos).await, [1, 2, 2]);
    let utc = format!("{days}&tz=UTC&state=Lagos");
    assert_eq!(active_users(&api, &utc).await, [1, 2, 1]);
    assert_eq!(
        active_users(&api, &format!("{lagos}&state=unknown")).await,
        [0, 0, 0]
    );
}

/// A completed trip of a driver.
fn trip(number: u128, at: DateTime<Utc>) -> Map<String, Value> {
    let fields = json!({
        "trip_id": Uuid::from_u128(number), "driver_id": Uuid::from_u128(1), "driver_earnings": "10.00",
    });
    event("trip.completed", at, fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drivers_days_are_those_of_the_series() {
    let api = Api::start(Utc.with_ymd_and_hms(2024, 11, 20, 12, 0, 0).unwrap()).await;
    let at = |day, hour, minute| {
        Utc.with_ymd_and_hms(2010, 11, day, hour, minute, 0)
            .unwrap()
    };
    // One minute into the 7th of November, at 2:31 UTC, Newfoundland moved its clocks back to 23:01.
    let trips = [
        at(6, 2, 15),
        at(7, 2, 30),
        at(7, 3, 0),
        at(7, 3, 30),
        at(8, 3, 15),
        at(8, 3, 30),
    ];
    let rows = (1..).zip(trips).map(|(number, at)| trip(number, at));
    write(&api, "in_trip", rows).await;
    let active_days = async |parameters: &str| {
        let path = format!("/v1/metrics/drivers?tz={parameters}");
        api.json(&path).await["drivers"][0]["active_days"].clone()
    };
    for range in [
        "start_date=2010-11-01&end_date=2010-11-30",
        "start_date=0001-01-01&end_date=9999-12-31",
    ] {
        assert_eq!(
            active_days(&format!("America/St_Johns&{range}")).await,
            3,
            "{range}"
        );
        // ClickHouse does not know this zone by itself.
        assert_eq!(
            active_days(&format!("America/Coyhaique&{range}")).await,
            4,
            "{range}"
        );
        assert_eq!(active_days(&format!("UTC&{range}")).await, 3, "{range}");
    }
    let evening = "America/St_Johns&start_date=2010-11-07T00:00&end_date=2010-11-07";
    assert_eq!(active_days(evening).await, 1);
}
