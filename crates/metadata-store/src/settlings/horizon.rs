//! Up to where facts may be taken: what lies behind the horizon was judged by batches that are closed.

use crate::{
    Pool, StoreError, clock,
    error::TxError,
    schema::{ingest_batch, settle_horizon},
};
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, dsl::min};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};

/// Length of a bucket of `decided_at`; the views on the input tables have the same.
const BUCKET_SECONDS: i64 = 10;

/// What a settling may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The last bucket of `decided_at` to which no batch can add any more.
    pub bucket: i64,
    /// The time: the asker's, unless that is ahead of PostgreSQL's.
    pub now: DateTime<Utc>,
}

/// Closes all buckets that ended before `now` and in which no open batch was judged. From then on no batch can be
/// opened that adds to them.
pub async fn raise_horizon(pool: &Pool, now: DateTime<Utc>) -> Result<Horizon, StoreError> {
    let operation = "raise the horizon of settling";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            let stored: i64 = settle_horizon::table
                .select(settle_horizon::bucket)
                .for_update()
                .first(tx)
                .await?;
            let oldest_open: Option<DateTime<Utc>> = ingest_batch::table
                .filter(ingest_batch::state.eq("open"))
                .select(min(ingest_batch::decided_at))
                .first(tx)
                .await?;
            let first_open = oldest_open.map_or(i64::MAX, bucket);
            // a clock that runs ahead must not push everybody's batches into the future
            let now = now.min(clock::now(tx).await?);
            let raised = stored.max(bucket(now).min(first_open) - 1);
            diesel::update(settle_horizon::table)
                .set(settle_horizon::bucket.eq(raised))
                .execute(tx)
                .await?;
            Ok(Horizon {
                bucket: raised,
                now,
            })
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

fn bucket(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(BUCKET_SECONDS)
}

/// Whether a batch that was judged at `decided_at` would add to a bucket that was taken; then the time from which
/// on it would not. Keeps the horizon where it is until the transaction ends.
pub(crate) async fn too_early(
    tx: &mut AsyncPgConnection,
    decided_at: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, TxError> {
    let horizon: i64 = settle_horizon::table
        .select(settle_horizon::bucket)
        .for_share()
        .first(tx)
        .await?;
    let is_early = bucket(decided_at) <= horizon;
    Ok(is_early
        .then(|| DateTime::from_timestamp((horizon + 1) * BUCKET_SECONDS, 0))
        .flatten())
}
