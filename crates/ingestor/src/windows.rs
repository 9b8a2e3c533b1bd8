//! The identities that were accepted on a lane before this member came.

use crate::judge::{Accepted, Window};
use event_store::{Params, Row, Store, StoreError};
use metadata_store::LaneId;
use serde::Deserialize;
use uuid::Uuid;

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct AcceptedRow {
    event_id: String,
    kafka_offset: u64,
    payload_hash: u64,
}

/// Loads what was accepted within `reach` offsets before `next`.
pub(crate) async fn load(
    store: &Store,
    lane: &LaneId,
    epoch: i64,
    next: i64,
    reach: i64,
) -> Result<Window, StoreError> {
    let mut window = Window::new(epoch, reach);
    if reach == 0 {
        return Ok(window);
    }
    let sql = "SELECT toString(event_id) AS event_id, kafka_offset, xxh3(payload) AS payload_hash FROM events_raw \
        WHERE kafka_topic = {topic:String} AND kafka_partition = {partition:UInt32} \
          AND kafka_offset >= {first:UInt64} AND kafka_offset < {next:UInt64} \
        ORDER BY kafka_offset";
    let params = Params::new()
        .with("topic", &lane.topic)
        .with("partition", lane.partition)
        .with("first", (next - reach).max(0))
        .with("next", next);
    let rows: Vec<AcceptedRow> = store
        .query(sql)
        .params(&params)
        .named("identities of a lane")
        .fetch_all()
        .await?;
    for row in rows {
        let Ok(id) = row.event_id.parse::<Uuid>() else {
            continue;
        };
        let offset = i64::try_from(row.kafka_offset).unwrap_or(i64::MAX);
        window.remember(
            id,
            Accepted {
                offset,
                payload_hash: row.payload_hash,
            },
        );
    }
    Ok(window)
}
