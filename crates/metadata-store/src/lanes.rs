//! A lane is a topic-partition: where it stands, who owns it, and how far arrivals are durable.

mod known;
mod standing;

pub use known::{announce, ensure};
pub use standing::{Standing, standings};

use crate::{LaneId, Pool, StoreError, schema::ingest_lane};
use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// What is stored of a lane.
#[derive(Debug, Clone, Queryable, Selectable, PartialEq, Eq)]
#[diesel(table_name = ingest_lane, check_for_backend(diesel::pg::Pg))]
pub struct Lane {
    /// The Kafka topic.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The first offset that this platform answers for; 0 until the lane is taken over for the first time.
    pub first_offset: i64,
    /// Everything before it is durable.
    pub next_offset: i64,
    /// Raised by every take-over; 0 before the first.
    pub epoch: i64,
    /// The member that took it over last, unless it gave it back.
    pub owner: Option<String>,
    /// The batch that holds its next offsets and is not closed.
    pub open_batch: Option<Uuid>,
    /// Kafka's end of the partition when last asked.
    pub end_offset: Option<i64>,
    /// Everything that arrived at the broker before this is durable.
    pub complete_through: Option<DateTime<Utc>>,
    /// When its owner last reported.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// Why it stands still, if it was stopped.
    pub stopped_reason: Option<String>,
    /// When an operator retired it, if one did. It stands still then, and nothing waits for it.
    pub retired_at: Option<DateTime<Utc>>,
}

impl Lane {
    /// A lane that begins at `first`, of which nothing else is known yet.
    pub fn new(id: LaneId, first: i64) -> Self {
        Self {
            topic: id.topic,
            partition: id.partition,
            first_offset: first,
            next_offset: first,
            epoch: 0,
            owner: None,
            open_batch: None,
            end_offset: None,
            complete_through: None,
            heartbeat_at: None,
            stopped_reason: None,
            retired_at: None,
        }
    }

    /// Topic and partition.
    pub fn id(&self) -> LaneId {
        LaneId {
            topic: self.topic.clone(),
            partition: self.partition,
        }
    }

    /// Whether an operator has retired it: what is complete, or expires, does not wait for it.
    pub fn is_retired(&self) -> bool {
        self.retired_at.is_some()
    }
}

/// What an owner reports of a lane.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Which lane.
    pub lane: LaneId,
    /// The epoch under which it is owned; a report under an older one is ignored.
    pub epoch: i64,
    /// Kafka's end of the partition.
    pub end_offset: Option<i64>,
    /// Everything that arrived before this is durable.
    pub complete_through: Option<DateTime<Utc>>,
}

/// All lanes, ordered by topic and partition.
pub async fn all(pool: &Pool) -> Result<Vec<Lane>, StoreError> {
    let operation = "read the lanes";
    let mut connection = pool.get(operation).await?;
    ingest_lane::table
        .select(Lane::as_select())
        .order((ingest_lane::topic, ingest_lane::partition))
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })
}

/// Everything that arrived at the broker before this is durable: the least of all lanes that are not retired, or nothing
/// as long as one has none.
pub fn complete_through(lanes: &[Lane]) -> Option<DateTime<Utc>> {
    let living = lanes.iter().filter(|lane| !lane.is_retired());
    // nothing is less than any time
    living.map(|lane| lane.complete_through).min().flatten()
}

/// One lane, if it is known.
pub async fn find(pool: &Pool, lane: &LaneId) -> Result<Option<Lane>, StoreError> {
    let operation = "read a lane";
    let mut connection = pool.get(operation).await?;
    ingest_lane::table
        .find((&lane.topic, lane.partition))
        .select(Lane::as_select())
        .first(&mut connection)
        .await
        .optional()
        .map_err(|source| StoreError::Query { operation, source })
}

/// A lane's next epoch. Epochs are times, where these are later: an owner from a state that the database has lost has an
/// epoch which the lane never reaches again.
const NEXT_EPOCH: &str =
    "greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";

/// Makes the lanes the caller's and raises their epochs, so that no earlier owner can open a batch on them. Returns
/// them as they stand now; an `open_batch` is to be recovered before its lane is read.
pub async fn take_over(
    pool: &Pool,
    owner: &str,
    lanes: &[LaneId],
) -> Result<Vec<Lane>, StoreError> {
    let operation = "take lanes over";
    let (topics, partitions) = columns(lanes);
    let mut connection = pool.get(operation).await?;
    let taken: Vec<Taken> = diesel::sql_query(format!(
        "UPDATE ingest_lane l SET epoch = {NEXT_EPOCH}, owner = $1 \
         FROM unnest($2, $3) AS mine (topic, partition) \
         WHERE l.topic = mine.topic AND l.partition = mine.partition \
         RETURNING l.topic, l.partition, l.epoch",
    ))
    .bind::<Text, _>(owner)
    .bind::<Array<Text>, _>(topics)
    .bind::<Array<Integer>, _>(partitions)
    .load(&mut connection)
    .await
    .map_err(|source| StoreError::Query { operation, source })?;
    drop(connection);
    let stored = all(pool).await?;
    let ours = |lane| {
        taken
            .iter()
            .find_map(|taken| taken.epoch_of(&lane))
            .map(|epoch| Lane { epoch, ..lane })
    };
    Ok(stored.into_iter().filter_map(ours).collect())
}

/// A lane that was taken over, with the epoch that it got: somebody else may have raised it since.
#[derive(diesel::QueryableByName)]
struct Taken {
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Integer)]
    partition: i32,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
}

impl Taken {
    fn epoch_of(&self, lane: &Lane) -> Option<i64> {
        (self.topic == lane.topic && self.partition == lane.partition).then_some(self.epoch)
    }
}

/// Says that the lanes have no owner, where the caller still is it.
pub async fn release(pool: &Pool, owner: &str, lanes: &[LaneId]) -> Result<(), StoreError> {
    let operation = "release lanes";
    let (topics, partitions) = columns(lanes);
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "UPDATE ingest_lane l SET owner = NULL FROM unnest($2, $3) AS mine (topic, partition) \
         WHERE l.topic = mine.topic AND l.partition = mine.partition AND l.owner = $1",
    )
    .bind::<Text, _>(owner)
    .bind::<Array<Text>, _>(topics)
    .bind::<Array<Integer>, _>(partitions)
    .execute(&mut connection)
    .await
    .map(drop)
    .map_err(|source| StoreError::Query { operation, source })
}

/// Stores how far each lane is complete, and that its owner is alive.
pub async fn report(
    pool: &Pool,
    now: DateTime<Utc>,
    progress: &[Progress],
) -> Result<(), StoreError> {
    let operation = "report progress";
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "UPDATE ingest_lane l SET heartbeat_at = $1, \
             end_offset = greatest(p.end_offset, l.end_offset), \
             complete_through = coalesce(p.complete_through, l.complete_through) \
         FROM unnest($2, $3, $4, $5, $6) AS p (topic, partition, epoch, end_offset, complete_through) \
         WHERE l.topic = p.topic AND l.partition = p.partition AND l.epoch = p.epoch",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(progress.iter().map(|p| p.lane.topic.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(progress.iter().map(|p| p.lane.partition).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(progress.iter().map(|p| p.epoch).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(progress.iter().map(|p| p.end_offset).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(progress.iter().map(|p| p.complete_through).collect::<Vec<_>>())
    .execute(&mut connection)
    .await
    .map(drop)
    .map_err(|source| StoreError::Query { operation, source })
}

/// Stops a lane with a reason that operators see, unless somebody has taken it over since it got this epoch. Answers
/// whether it did.
pub async fn stop(
    pool: &Pool,
    lane: &LaneId,
    epoch: i64,
    reason: &str,
) -> Result<bool, StoreError> {
    let operation = "stop a lane";
    let mut connection = pool.get(operation).await?;
    let ours = ingest_lane::table
        .find((&lane.topic, lane.partition))
        .filter(ingest_lane::epoch.eq(epoch));
    diesel::update(ours)
        .set(ingest_lane::stopped_reason.eq(reason))
        .execute(&mut connection)
        .await
        .map(|rows| rows == 1)
        .map_err(|source| StoreError::Query { operation, source })
}

/// Lets a lane go on that stands still at `next`, a retired one too. Answers whether it did. Its owner takes it over
/// again, and stops it once more where the reason has remained.
pub async fn resume(pool: &Pool, lane: &LaneId, next: i64) -> Result<bool, StoreError> {
    let operation = "let a lane go on";
    let mut connection = pool.get(operation).await?;
    let stopped = ingest_lane::table
        .find((&lane.topic, lane.partition))
        .filter(ingest_lane::stopped_reason.is_not_null())
        .filter(ingest_lane::next_offset.eq(next));
    diesel::update(stopped)
        .set((
            ingest_lane::stopped_reason.eq(None::<String>),
            ingest_lane::retired_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(&mut connection)
        .await
        .map(|rows| rows == 1)
        .map_err(|source| StoreError::Query { operation, source })
}

/// Retires a lane that stands at `next` and that no batch holds, with a reason that operators see. Answers whether it did.
/// Its epoch is raised, so that nobody opens a batch on it any more.
pub async fn retire(
    pool: &Pool,
    now: DateTime<Utc>,
    lane: &LaneId,
    next: i64,
    reason: &str,
) -> Result<bool, StoreError> {
    let operation = "retire a lane";
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(format!(
        "UPDATE ingest_lane SET retired_at = $1, stopped_reason = $2, owner = NULL, epoch = {NEXT_EPOCH} \
         WHERE topic = $3 AND partition = $4 AND next_offset = $5 AND open_batch IS NULL AND retired_at IS NULL",
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(reason)
    .bind::<Text, _>(&lane.topic)
    .bind::<Integer, _>(lane.partition)
    .bind::<BigInt, _>(next)
    .execute(&mut connection)
    .await
    .map(|rows| rows == 1)
    .map_err(|source| StoreError::Query { operation, source })
}

fn columns(lanes: &[LaneId]) -> (Vec<&str>, Vec<i32>) {
    lanes
        .iter()
        .map(|lane| (lane.topic.as_str(), lane.partition))
        .unzip()
}
