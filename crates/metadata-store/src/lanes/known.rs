//! How lanes become known, and who says where they begin.

use super::columns;
use crate::{LaneId, Pool, StoreError};
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel_async::RunQueryDsl;

/// Makes lanes that are not known yet, so that what is complete waits for them. Where they begin is left to whoever takes
/// them over first: until then Kafka may delete what nobody has promised to read.
pub async fn announce(pool: &Pool, lanes: &[LaneId]) -> Result<(), StoreError> {
    let operation = "announce lanes";
    let (topics, partitions) = columns(lanes);
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "INSERT INTO ingest_lane (topic, partition, first_offset, next_offset) \
         SELECT topic, partition, 0, 0 FROM unnest($1, $2) AS told (topic, partition) ORDER BY topic, partition ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(topics)
    .bind::<Array<Integer>, _>(partitions)
    .execute(&mut connection)
    .await
    .map(drop)
    .map_err(|source| StoreError::Query { operation, source })
}

/// Makes lanes that are not known yet, each starting at the given offset. So do those that were announced and never
/// taken over; all others stay as they are.
pub async fn ensure(pool: &Pool, lanes: &[(LaneId, i64)]) -> Result<(), StoreError> {
    let operation = "make lanes";
    let ids: Vec<LaneId> = lanes.iter().map(|(lane, _)| lane.clone()).collect();
    let firsts: Vec<i64> = lanes.iter().map(|(_, first)| *first).collect();
    let mut connection = pool.get(operation).await?;
    for statement in [
        "INSERT INTO ingest_lane (topic, partition, first_offset, next_offset) \
         SELECT topic, partition, first, first FROM unnest($1, $2, $3) AS mine (topic, partition, first) \
         ORDER BY topic, partition ON CONFLICT DO NOTHING",
        "UPDATE ingest_lane l SET first_offset = mine.first, next_offset = mine.first \
         FROM unnest($1, $2, $3) AS mine (topic, partition, first) \
         WHERE l.topic = mine.topic AND l.partition = mine.partition AND l.epoch = 0 \
           AND l.next_offset = l.first_offset AND l.open_batch IS NULL",
    ] {
        let (topics, partitions) = columns(&ids);
        diesel::sql_query(statement)
            .bind::<Array<Text>, _>(topics)
            .bind::<Array<Integer>, _>(partitions)
            .bind::<Array<BigInt>, _>(&firsts)
            .execute(&mut connection)
            .await
            .map_err(|source| StoreError::Query { operation, source })?;
    }
    Ok(())
}
