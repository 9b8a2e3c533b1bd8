//! Ranges that a declaration has given up. The ledger told of them before their rows were written, and more than has
//! come of it: its sums would be wrong for ever.

use super::{RecoverError, Recovery};
use crate::write::WriteError;
use event_store::{Params, Store, StoreError};
use metadata_store::{LaneId, batches, batches::Batch};
use shared_schema::GapCause;
use uuid::Uuid;

impl Recovery {
    /// Lets the ledger say of the parked ranges that this batch declares lost what is stored of them. The batch must be
    /// open: it has their lanes, so nothing more is written of them. It may be done again.
    ///
    /// # Errors
    /// When a store does not do it.
    pub(crate) async fn correct_ledger(&self, declaration: &Batch) -> Result<(), RecoverError> {
        let declared = declaration.ranges.iter();
        let declared = declared.filter(|range| {
            let mut gaps = range.verdicts.gaps.iter();
            gaps.any(|gap| gap.cause == GapCause::Lost.as_str())
        });
        for range in declared {
            let parked = batches::parked(&self.pool, &range.lane, range.lo).await?;
            for given_up in parked.iter().filter(|parked| parked.hi <= range.hi) {
                tell_what_is_stored(self.writer.store(), &range.lane, given_up.batch)
                    .await
                    .map_err(WriteError::from)?;
            }
        }
        Ok(())
    }
}

async fn tell_what_is_stored(store: &Store, lane: &LaneId, batch: Uuid) -> Result<(), StoreError> {
    let params = Params::new()
        .with("topic", &lane.topic)
        .with("partition", lane.partition)
        .with("batch", batch);
    let of_batch = "kafka_topic = {topic:String} AND kafka_partition = {partition:UInt32} AND batch = {batch:UUID}";
    let sum = |what: &str, table: &str| {
        format!("ifNull((SELECT {what} FROM {table} WHERE {of_batch}), 0)")
    };
    let sql = format!(
        "SELECT {}, {}, {}, {}",
        sum("count()", "events_raw"),
        sum("count()", "duplicates"),
        sum("count()", "dead_letters"),
        sum(
            "toUInt64(sum(last_offset - first_offset + 1))",
            "ingest_gaps"
        ),
    );
    let query = store.query(&sql).params(&params);
    let (accepted, duplicate, dead_lettered, gap_offsets): (u64, u64, u64, u64) =
        query.named("verdicts of a range").fetch_one().await?;
    let correction = format!(
        "ALTER TABLE ingest_ledger UPDATE accepted = {accepted}, duplicate = {duplicate}, \
             dead_lettered = {dead_lettered}, gap_offsets = {gap_offsets} \
         WHERE {of_batch} AND (accepted, duplicate, dead_lettered, gap_offsets) \
             != ({accepted}, {duplicate}, {dead_lettered}, {gap_offsets}) \
         SETTINGS mutations_sync = 1"
    );
    store.execute(&correction, &params).await
}
