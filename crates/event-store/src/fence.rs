//! Ending an attempt to insert a batch, for good.
//!
//! `ingest_fence` is a Memory table on each server, so it is empty after a restart. It holds ids of four kinds,
//! told apart by their versions: one that stands for the server's present life, the *boot id* (v4), one for the present
//! settler's life (v7), one for the life of each batch's present recoverer (v8), and those of attempts that were given
//! up (v5). Every insert of a batch or settling asks it, before its first row, whether its life is still there and its
//! own attempt is not. So an attempt that was fenced can never start again, and one from before a restart cannot
//! either. What has started already is killed. No clock is involved.
//!
//! Attempts are numbered by PostgreSQL, which numbers them again after it has gone back to an older state. Lives are
//! not: two recoverers with the same attempt are told apart by them.

use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{error::StoreError, params::Params, store::Store};

/// How long [`fence_off`], [`end_all`] and whoever begins a life try to get rid of running inserts.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Stands in the message of the exception that refuses an insert.
pub(crate) const REFUSAL: &str = "this attempt to write the batch was given up";

/// What an insert carries to be stopped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The life that the attempt belongs to: of the server, from [`boot_id`], of a settler, from [`settlers_life`], or
    /// of a batch's recoverer, from [`recoverers_life`].
    pub life: Uuid,
    /// The attempt's own id.
    pub attempt: Uuid,
}

/// Whose attempts are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of one batch.
    Batch(Uuid),
    /// Those of every settling.
    Settlers,
    /// Those of every batch and settling in the database.
    Everyone,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(batch) => write!(f, "batch {batch}"),
            Self::Settlers => f.write_str("every settling"),
            Self::Everyone => f.write_str("every batch"),
        }
    }
}

impl Whose {
    /// The condition for the queries that are their inserts, with its values. See [`query_id`] and [`settling_query_id`].
    fn inserts(self) -> (&'static str, Params) {
        match self {
            Self::Batch(batch) => (
                "startsWith(query_id, {prefix:String})",
                Params::new().with("prefix", format!("{batch}/")),
            ),
            Self::Settlers => (
                "current_database = currentDatabase() AND match(query_id, '^[0-9a-f-]{36}/settling/[a-z0-9_]+/[0-9a-f-]{36}$')",
                Params::new(),
            ),
            Self::Everyone => (
                "current_database = currentDatabase() AND match(query_id, '^[0-9a-f-]{36}/(settling/)?[a-z0-9_]+/[0-9a-f-]{36}$')",
                Params::new(),
            ),
        }
    }
}

/// Why an attempt could not be ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FenceError {
    /// The server did not do what was asked. Asking again is harmless.
    #[error("fence off {whose}")]
    Store {
        /// Whose attempts.
        whose: Whose,
        /// Why.
        source: StoreError,
    },
    /// Inserts that were killed do not end.
    #[error("fence off {whose}: still running after {waited:?}: {}", queries.join(", "))]
    StillRunning {
        /// Whose attempts.
        whose: Whose,
        /// The ids of the inserts.
        queries: Vec<String>,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl Fence {
    /// The condition for the insert's `WHERE`. It raises an exception where the attempt may not go on, and
    /// is true otherwise; its values are [`params`](Self::params).
    pub fn predicate(database: &str) -> String {
        format!(
            "throwIf((SELECT countIf(id = {{fence_life:UUID}}) = 0 OR countIf(id = {{fence_attempt:UUID}}) > 0 \
             FROM {database}.ingest_fence), '{REFUSAL}') = 0"
        )
    }

    /// The values of [`predicate`](Self::predicate)'s places.
    pub fn params(&self) -> Params {
        Params::new()
            .with("fence_life", self.life)
            .with("fence_attempt", self.attempt)
    }
}

/// The id of an attempt's insert into one table, by which [`fence_off`] finds it.
pub fn query_id(batch: Uuid, table: &str, attempt: Uuid) -> String {
    format!("{batch}/{table}/{attempt}")
}

/// The same for a settling, by which [`settlers_life`] finds it too, whatever it inserts.
pub fn settling_query_id(settling: Uuid, table: &str, attempt: Uuid) -> String {
    format!("{settling}/settling/{table}/{attempt}")
}

/// An id that stands for the server's present life.
///
/// Any random id in the table does, whoever wrote it, since a restart removes them all; whoever finds none writes one.
/// Ids of attempts may not serve: they are derived (UUIDv5), and an attempt that is fenced off in two lives of the
/// server brings its id back. Two that find it empty at once write two, and each is as good as the other: all that an
/// attempt asks is whether *its* boot id is still there. A write whose answer is lost may still arrive, even after a
/// restart, but nobody uses its id.
///
/// # Errors
/// If the server does not answer.
pub async fn boot_id(store: &Store) -> Result<Uuid, StoreError> {
    let sql = "SELECT toString(id) FROM ingest_fence WHERE substring(toString(id), 15, 1) = '4' ORDER BY id LIMIT 1";
    let found = store
        .query(sql)
        .named("boot id")
        .fetch_optional::<String>()
        .await?;
    if let Some(id) = found.and_then(|id| id.parse().ok()) {
        return Ok(id);
    }
    let id = Uuid::new_v4();
    write(store, id).await?;
    Ok(id)
}

/// Begins the life of a settler, which ends with the next one, or with the server's: no insert of an earlier one can
/// start any more, and what had started has ended when this returns. What settlers have promised elsewhere need not be
/// known for that.
///
/// Its id is a UUIDv7, as nothing else in the table is.
///
/// # Errors
/// As [`fence_off`].
pub async fn settlers_life(store: &Store) -> Result<Uuid, FenceError> {
    let of_settlers = "substring(toString(id), 15, 1) = '7'";
    begin(store, Uuid::now_v7(), of_settlers, Whose::Settlers).await
}

/// Begins the life of a batch's recoverer, which ends with the next one of the same batch, or with the server's: no
/// insert of an earlier one can start any more, and all inserts of the batch that had started have ended when this
/// returns. What PostgreSQL knows of earlier ones is not asked.
///
/// Its id is a UUIDv8, as nothing else in the table is: 48 bits tell the batch, the others are random. Should two
/// batches ever share those bits, their recoverers end each other, and try again.
///
/// # Errors
/// As [`fence_off`].
pub async fn recoverers_life(store: &Store, batch: Uuid) -> Result<Uuid, FenceError> {
    let mut id = Uuid::new_v4().into_bytes();
    let of_the_batch = Uuid::new_v5(&batch, b"recoverer").into_bytes();
    for (byte, known) in id.iter_mut().zip(of_the_batch).take(6) {
        *byte = known;
    }
    let life = uuid::Builder::from_custom_bytes(id).into_uuid();
    // those bits and the version
    let of_the_same = "startsWith(toString(id), substring(toString({life:UUID}), 1, 15))";
    begin(store, life, of_the_same, Whose::Batch(batch)).await
}

/// Begins a life and ends all others of its kind, with their inserts. Of two that begin at once, one remains at most:
/// each is written before the others are looked for.
async fn begin(store: &Store, life: Uuid, kind: &str, whose: Whose) -> Result<Uuid, FenceError> {
    let failed = |source| FenceError::Store { whose, source };
    write(store, life).await.map_err(failed)?;
    let others = format!("ALTER TABLE ingest_fence DELETE WHERE {kind} AND id != {{life:UUID}}");
    let params = Params::new().with("life", life);
    store.execute(&others, &params).await.map_err(failed)?;
    end_inserts(store, whose).await?;
    Ok(life)
}

/// Ends an attempt at a batch: it can not start any more, and all inserts of the batch that have started have ended when
/// this returns.
///
/// The order matters. An insert is listed by the server before it looks at the table, so one that is not
/// listed when the kill looks will find its id in the table.
///
/// # Errors
/// If the server does not answer, or the inserts do not end within [`PATIENCE`]. The attempt may then
/// still be alive; calling again is harmless.
pub async fn fence_off(store: &Store, batch: Uuid, attempt: Uuid) -> Result<(), FenceError> {
    let whose = Whose::Batch(batch);
    let fenced = write(store, attempt).await;
    fenced.map_err(|source| FenceError::Store { whose, source })?;
    end_inserts(store, whose).await
}

/// Ends all attempts at all batches and settlings, known and unknown, as a restart of the server does: their boot id
/// goes, so that none can start any more, and what has started is killed.
///
/// # Errors
/// As [`fence_off`].
pub async fn end_all(store: &Store) -> Result<(), FenceError> {
    let whose = Whose::Everyone;
    let emptied = store
        .execute("TRUNCATE TABLE ingest_fence", &Params::new())
        .await;
    emptied.map_err(|source| FenceError::Store { whose, source })?;
    end_inserts(store, whose).await
}

/// Kills inserts until none is left that has started.
async fn end_inserts(store: &Store, whose: Whose) -> Result<(), FenceError> {
    let failed = |source| FenceError::Store { whose, source };
    let start = Instant::now();
    loop {
        kill(store, whose).await.map_err(failed)?;
        let queries = running(store, whose).await.map_err(failed)?;
        let waited = start.elapsed();
        if queries.is_empty() {
            return Ok(());
        }
        if waited >= PATIENCE {
            return Err(FenceError::StillRunning {
                whose,
                queries,
                waited,
            });
        }
        sleep(PAUSE).await;
    }
}

/// Between two looks at inserts that do not want to end.
const PAUSE: Duration = Duration::from_millis(100);

/// Writes an id once, so that the table does not grow while a batch is tried again and again.
async fn write(store: &Store, id: Uuid) -> Result<(), StoreError> {
    let sql = "INSERT INTO ingest_fence (id) \
               SELECT {id:UUID} AS id WHERE id NOT IN (SELECT fence.id FROM ingest_fence AS fence)";
    store.execute(sql, &Params::new().with("id", id)).await
}

/// Waits until what it kills has ended, or for as long as a request may take.
async fn kill(store: &Store, whose: Whose) -> Result<(), StoreError> {
    let (inserts, params) = whose.inserts();
    let sql = format!("KILL QUERY WHERE {inserts} SYNC");
    match store.query(&sql).params(&params).execute().await {
        Err(StoreError::TimedOut { .. }) => Ok(()),
        result => result,
    }
}

async fn running(store: &Store, whose: Whose) -> Result<Vec<String>, StoreError> {
    let (inserts, params) = whose.inserts();
    let sql = format!("SELECT query_id FROM system.processes WHERE {inserts}");
    store
        .query(&sql)
        .params(&params)
        .named("running inserts")
        .fetch_all()
        .await
}
