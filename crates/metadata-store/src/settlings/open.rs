//! Promising a settling, and finding the one that is promised.

use super::{Facts, Settling, State};
use crate::{Pool, StoreError, error::TxError, quiet, schema::settle_batch};
use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    dsl::min,
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = settle_batch, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: Uuid,
    settled_at: DateTime<Utc>,
    buckets: serde_json::Value,
    attempt: i32,
    state: String,
}

impl Row {
    fn read(self) -> Result<Settling, StoreError> {
        Ok(Settling {
            id: self.id,
            settled_at: self.settled_at,
            facts: serde_json::from_value(self.buckets).map_err(unreadable)?,
            attempt: self.attempt,
            state: State::parse(&self.state)?,
        })
    }
}

/// The settling under way, if there is one.
pub async fn current(pool: &Pool) -> Result<Option<Settling>, StoreError> {
    let operation = "read the settling under way";
    let mut connection = pool.get(operation).await?;
    settle_batch::table
        .filter(settle_batch::state.ne("done"))
        .select(Row::as_select())
        .first(&mut connection)
        .await
        .optional()
        .map_err(|source| StoreError::Query { operation, source })?
        .map(Row::read)
        .transpose()
}

/// When the earliest settling was decided that is not finished, if there is one.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn unfinished_since(pool: &Pool) -> Result<Option<DateTime<Utc>>, StoreError> {
    let operation = "read since when a settling is under way";
    let mut connection = pool.get(operation).await?;
    settle_batch::table
        .filter(settle_batch::state.ne("done"))
        .select(min(settle_batch::settled_at))
        .first(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })
}

/// Stores a new settling. Answers `false` when another is under way, or a migration: then it is tried again later.
pub async fn open(pool: &Pool, owner: &str, settling: &Settling) -> Result<bool, StoreError> {
    let operation = "open a settling";
    let facts = stored(&settling.facts)?;
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            if !quiet::may_open(tx).await? {
                return Ok(false);
            }
            let stored = diesel::insert_into(settle_batch::table)
                .values((
                    settle_batch::id.eq(settling.id),
                    settle_batch::owner.eq(owner),
                    settle_batch::settled_at.eq(settling.settled_at),
                    settle_batch::buckets.eq(&facts),
                    settle_batch::attempt.eq(settling.attempt),
                    settle_batch::state.eq(settling.state.as_str()),
                    settle_batch::opened_at.eq(settling.settled_at),
                ))
                .on_conflict_do_nothing()
                .execute(tx)
                .await?;
            Ok(stored == 1)
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

fn stored(facts: &Facts) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(facts).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Unreadable {
        what: "buckets",
        detail: error.to_string(),
    }
}
