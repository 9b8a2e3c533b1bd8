//! Questions whose answers are kept.

use query_api::Config;

use crate::api::{Api, databases};

/// A range that is over.
pub(crate) const MAY: &str = "/v1/metrics/bookings?start_date=2026-05-01&end_date=2026-05-31";

/// Databases over which answers are kept.
pub(crate) async fn keeping() -> Config {
    let mut config = databases().await;
    config.cache.enabled = true;
    config
}

/// What `X-Cache` says.
pub(crate) async fn found(api: &Api, path: &str) -> String {
    let answer = api.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.header("x-cache").to_owned()
}

/// Somebody books a ride.
pub(crate) async fn book(api: &Api, at: &str) {
    api.execute(&format!(
        "INSERT INTO in_booking (event_id, event_type, event_timestamp, booking_id, region_settled, state, city, decided_at) \
         VALUES (generateUUIDv4(), 'booking.created', '{at}', generateUUIDv4(), true, 'Lagos', 'Ikeja', now64(3))"
    ))
    .await;
}
