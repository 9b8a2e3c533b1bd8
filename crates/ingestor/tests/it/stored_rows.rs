//! What becomes of the same bytes, as long as the codec is the same.

use crate::{
    platform::{PATIENCE, Platform},
    postgres_faults::recovery,
};
use chrono::{DateTime, Utc};
use ingestor::{
    judge::{CODEC, StoredLimits},
    recover::Finished,
};
use metadata_store::{
    LaneId,
    batches::{self, Batch, Opening, Range, Verdicts},
    lanes::{self, Lane},
};
use serde_json::Value;
use service_runtime::clock::ManualClock;
use shared_schema::{AgeLimits, Domain, EventType};
use std::{collections::BTreeMap, fs, sync::Arc};
use tokio::time::timeout;
use uuid::Uuid;

const REMINDER: &str = "The same bytes give other rows: raise judge::CODEC, then accept this.";

fn fixture(kind: EventType) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared-schema/fixtures");
    fs::read(format!("{folder}/{kind}.json")).unwrap()
}

/// A batch of all that was sent, judged at this time.
async fn opened(platform: &Platform, decided_at: DateTime<Utc>) -> Uuid {
    let pool = &platform.pool;
    let lane = |topic| {
        (
            LaneId {
                topic,
                partition: 0,
            },
            0,
        )
    };
    let lanes: Vec<_> = platform.topics().into_iter().map(lane).collect();
    lanes::ensure(pool, &lanes).await.unwrap();
    let ids: Vec<_> = lanes.into_iter().map(|(id, _)| id).collect();
    let owned = lanes::take_over(pool, "owner", &ids).await.unwrap();
    let sent = |lane: &Lane| {
        let topic_of = |kind: &EventType| platform.config.topics.topic_of(kind.domain());
        let of_lane = EventType::ALL
            .iter()
            .filter(|kind| topic_of(kind) == lane.topic);
        i64::try_from(of_lane.count()).unwrap()
    };
    let range = |lane: &Lane| Range {
        lane: lane.id(),
        epoch: lane.epoch,
        lo: 0,
        hi: sent(lane) - 1,
        records: sent(lane),
        // not compared
        hash: 0,
        verdicts: Verdicts::default(),
        parked: false,
        omission: None,
    };
    let batch = Batch {
        id: Uuid::from_u128(7),
        owner: "owner".to_owned(),
        codec: CODEC,
        decided_at,
        dedup_window: 0,
        age_limits: serde_json::json!(StoredLimits::from(AgeLimits::default())),
        touched: None,
        ranges: owned.iter().map(range).collect(),
    };
    let opening = batches::advance(pool, decided_at, None, Some(&batch)).await;
    assert_eq!(opening.unwrap(), Opening::Opened);
    batch.id
}

/// The rows of the typed tables, by type.
async fn stored(platform: &Platform) -> BTreeMap<String, Value> {
    let mut rows: BTreeMap<String, Value> = BTreeMap::new();
    for domain in Domain::ALL {
        let sql = format!(
            "SELECT formatRowNoNewline('JSONEachRow', *) \
             FROM (SELECT * REPLACE ('{domain}' AS kafka_topic) FROM {})",
            domain.events_table()
        );
        let found: Vec<String> = platform.store.query(&sql).fetch_all().await.unwrap();
        for row in found {
            let row: Value = serde_json::from_str(&row).unwrap();
            let kind = row["event_type"].as_str().unwrap().to_owned();
            assert_eq!(rows.insert(kind, row), None);
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_each_type_is_stored_as_ever() {
    let platform = Platform::new(1).await;
    // the examples are older than rows and marks may get
    let tables = "SELECT name FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')";
    let tables: Vec<String> = platform.store.query(tables).fetch_all().await.unwrap();
    for table in tables {
        platform
            .execute(&format!("SYSTEM STOP TTL MERGES {table}"))
            .await;
    }
    for kind in EventType::ALL {
        let topic = platform.config.topics.topic_of(kind.domain());
        platform.send_raw(topic, b"key", &fixture(*kind));
    }
    platform.flush();

    let decided_at: DateTime<Utc> = "2026-03-02T09:00:00.125Z".parse().unwrap();
    let mut recovery = recovery(&platform);
    recovery.clock = Arc::new(ManualClock::at(decided_at));
    let batch = opened(&platform, decided_at).await;
    let finished = timeout(PATIENCE, recovery.finish(batch, None)).await;
    let finished = finished.unwrap_or_else(|_| panic!("not finished. {REMINDER}"));
    assert_eq!(finished.unwrap(), Finished::Written { parked: Vec::new() });

    let stored = stored(&platform).await;
    assert_eq!(stored.len(), EventType::ALL.len());
    insta::with_settings!({ description => REMINDER, omit_expression => true }, {
        insta::assert_json_snapshot!(stored);
    });
}
