//! A late event ends what is kept of its hour.

use std::{collections::BTreeSet, time::Instant};

use chrono::{DateTime, Utc};
use metadata_store::{
    LaneId,
    batches::{self, Batch, Range, Touched, Verdicts},
    lanes,
};
use service_runtime::clock::{Clock as _, SystemClock};
use shared_schema::Domain;
use uuid::Uuid;

use crate::{
    api::{Api, PATIENCE, now},
    kept::{MAY, book, found, keeping},
};

/// Stores a batch that added to these hours, and closes it.
async fn stored(api: &Api, domain: Domain, at: DateTime<Utc>) {
    let lane = LaneId {
        topic: "openride.events".to_owned(),
        partition: 0,
    };
    lanes::ensure(&api.pool, &[(lane.clone(), 0)])
        .await
        .unwrap();
    let taken = lanes::take_over(&api.pool, "test", std::slice::from_ref(&lane))
        .await
        .unwrap();
    let hours = BTreeSet::from([at.timestamp() / 3600]);
    let batch = Batch {
        id: Uuid::now_v7(),
        owner: "test".to_owned(),
        codec: 1,
        decided_at: SystemClock.now(),
        dedup_window: 1,
        age_limits: serde_json::json!({}),
        touched: Some(Touched::new([(domain, &hours)])),
        ranges: vec![Range {
            lane,
            epoch: taken[0].epoch,
            lo: taken[0].next_offset,
            hi: taken[0].next_offset,
            records: 1,
            hash: 0,
            verdicts: Verdicts::default(),
            parked: false,
            omission: None,
        }],
    };
    let now = SystemClock.now();
    batches::advance(&api.pool, now, None, Some(&batch))
        .await
        .unwrap();
    batches::advance(&api.pool, now, Some(batch.id), None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_ends_what_is_kept_of_its_hour_on_all_replicas() {
    let config = keeping().await;
    let (one, other) = (Api::over(&config, now()), Api::over(&config, now()));
    let june = "/v1/metrics/bookings?start_date=2026-06-01&end_date=2026-06-10";
    for path in [MAY, june] {
        assert_eq!(found(&one, path).await, "miss");
        assert_eq!(found(&other, path).await, "hit");
    }
    book(&one, "2026-05-10 12:00:00").await;
    let at = DateTime::parse_from_rfc3339("2026-05-10T12:00:00Z")
        .unwrap()
        .to_utc();
    stored(&one, Domain::Booking, at).await;
    for api in [&other, &one] {
        let began = Instant::now();
        let answer = loop {
            let answer = api.get(MAY).await;
            if answer.json()["bookings_created"] == 1 {
                break answer;
            }
            assert!(began.elapsed() < PATIENCE, "the late event never shows");
        };
        assert_eq!(answer.status, 200);
        // by now the replica knows of the batch, which is not of that range
        assert_eq!(found(api, june).await, "hit");
    }
}
