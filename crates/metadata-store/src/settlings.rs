//! Settlings: batches of facts whose region has become known. At most one is under way.

use crate::{
    Pool, StoreError,
    error::TxError,
    locks::{self, SessionLock},
    quiet,
    schema::{ingest_batch, settle_batch, settle_horizon},
};
use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, OptionalExtension, QueryDsl, Queryable,
    Selectable, SelectableHelper,
    dsl::{self, min},
    sql_types::Timestamptz,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Length of a bucket of `decided_at`; the views on the input tables have the same.
const BUCKET_SECONDS: i64 = 10;
/// Only one process settles at a time.
const TURN_LOCK: i64 = 0x7365_7474_6c65;

/// The right to settle. It ends when it is dropped, or with the process.
pub struct Turn(#[expect(dead_code, reason = "it is held, not used")] SessionLock);

/// Takes the turn, unless another process has it.
pub async fn take_turn(pool: &Pool) -> Result<Option<Turn>, StoreError> {
    let lock = locks::try_lock(pool, "take the turn to settle", TURN_LOCK).await?;
    Ok(lock.map(Turn))
}

/// What a settling may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct Horizon {
    /// The last bucket of `decided_at` to which no batch can add any more.
    pub bucket: i64,
    /// The last bucket that was given to facts left over; all of these may be taken.
    pub left_over: i64,
}

/// Closes all buckets that ended before `now` and in which no open batch was judged. From then on no batch can be
/// opened that adds to them.
pub async fn raise_horizon(pool: &Pool, now: DateTime<Utc>) -> Result<Horizon, StoreError> {
    let operation = "raise the horizon of settling";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            let stored: Horizon = settle_horizon::table
                .select((settle_horizon::bucket, settle_horizon::left_over))
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
            let database: DateTime<Utc> = diesel::select(dsl::now.into_sql::<Timestamptz>())
                .first(tx)
                .await?;
            let raised = bucket(now.min(database)).min(first_open) - 1;
            let horizon = Horizon {
                bucket: stored.bucket.max(raised),
                left_over: (stored.left_over + 1).max(now.timestamp_millis()),
            };
            diesel::update(settle_horizon::table)
                .set((
                    settle_horizon::bucket.eq(horizon.bucket),
                    settle_horizon::left_over.eq(horizon.left_over),
                ))
                .execute(tx)
                .await?;
            Ok(horizon)
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

/// Which waiting facts a settling takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// Per waiting table, the buckets that it takes.
    pub taken: Vec<(String, Vec<u64>)>,
    /// The bucket for what is left over.
    pub left_over: u64,
}

/// How far a settling has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Promised; some of its rows may be written.
    Open,
    /// All rows are written; the buckets may go.
    Applied,
    /// Over.
    Done,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Applied => "applied",
            Self::Done => "done",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        match text {
            "open" => Ok(Self::Open),
            "applied" => Ok(Self::Applied),
            "done" => Ok(Self::Done),
            other => Err(StoreError::Unreadable {
                what: "state of a settling",
                detail: other.to_owned(),
            }),
        }
    }
}

/// A stored settling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settling {
    /// UUIDv7.
    pub id: Uuid,
    /// The time that its rows carry.
    pub settled_at: DateTime<Utc>,
    /// What it takes.
    pub buckets: Buckets,
    /// The last attempt that was announced.
    pub attempt: i32,
    /// How far it has come.
    pub state: State,
}

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
            buckets: serde_json::from_value(self.buckets).map_err(|error| {
                StoreError::Unreadable {
                    what: "buckets",
                    detail: error.to_string(),
                }
            })?,
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

/// Stores a new settling. Answers `false` when another is under way, or a migration: then it is tried again later.
pub async fn open(pool: &Pool, owner: &str, settling: &Settling) -> Result<bool, StoreError> {
    let operation = "open a settling";
    let buckets =
        serde_json::to_value(&settling.buckets).map_err(|error| StoreError::Unreadable {
            what: "buckets",
            detail: error.to_string(),
        })?;
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
                    settle_batch::buckets.eq(&buckets),
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

/// Announces the attempt after `last` as the owner's, unless somebody else announced it first.
pub async fn next_attempt(
    pool: &Pool,
    owner: &str,
    id: Uuid,
    last: i32,
) -> Result<Option<i32>, StoreError> {
    let operation = "announce an attempt at a settling";
    let mut connection = pool.get(operation).await?;
    let mine = settle_batch::state
        .ne("done")
        .and(settle_batch::attempt.eq(last));
    let announced = diesel::update(settle_batch::table.find(id).filter(mine))
        .set((
            settle_batch::attempt.eq(last + 1),
            settle_batch::owner.eq(owner),
        ))
        .execute(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    Ok((announced == 1).then_some(last + 1))
}

/// Moves a settling on from one state to the next; changes nothing if it is not in `from` any more.
pub async fn advance(
    pool: &Pool,
    id: Uuid,
    from: State,
    to: State,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let operation = "move a settling on";
    let mut connection = pool.get(operation).await?;
    let closed_at = (to == State::Done).then_some(now);
    diesel::update(
        settle_batch::table
            .find(id)
            .filter(settle_batch::state.eq(from.as_str())),
    )
    .set((
        settle_batch::state.eq(to.as_str()),
        settle_batch::closed_at.eq(closed_at),
    ))
    .execute(&mut connection)
    .await
    .map(|rows| rows == 1)
    .map_err(|source| StoreError::Query { operation, source })
}

/// Forgets settlings that were over before `before` and returns how many.
pub async fn forget_done(pool: &Pool, before: DateTime<Utc>) -> Result<usize, StoreError> {
    let operation = "forget settlings";
    let mut connection = pool.get(operation).await?;
    diesel::delete(
        settle_batch::table.filter(
            settle_batch::state
                .eq("done")
                .and(settle_batch::closed_at.lt(before)),
        ),
    )
    .execute(&mut connection)
    .await
    .map_err(|source| StoreError::Query { operation, source })
}
