//! The quiet in which a schema is changed: no batch and no settling is open, and none is opened.
//!
//! Whoever opens one shares a lock until the opening is committed, without waiting for it; a migration has the lock
//! alone, and then waits until what was opened before is closed. Closing takes no lock, so nothing that is under way is
//! held up.

use crate::{Config, StoreError, locks, pool, session::Session};
use diesel::sql_types::{BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tracing::info;
use uuid::Uuid;

const PAUSE: Duration = Duration::from_millis(100);

/// Whether something may be opened in this transaction; no migration begins before its end.
pub(crate) async fn may_open(tx: &mut AsyncPgConnection) -> Result<bool, diesel::result::Error> {
    locks::try_share(tx, locks::OPENING).await
}

/// Waits until something may be opened in this transaction. For what is rare, and tried again by its caller.
pub(crate) async fn wait_to_open(tx: &mut AsyncPgConnection) -> Result<(), diesel::result::Error> {
    locks::share(tx, locks::OPENING).await
}

/// A batch or a settling that is not over.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct UnderWay {
    /// `batch` or `settling`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The member that opened it.
    #[diesel(sql_type = Text)]
    pub owner: String,
    /// For how long it has been open, in seconds.
    #[diesel(sql_type = BigInt)]
    pub age_seconds: i64,
}

impl std::fmt::Display for UnderWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            kind,
            id,
            owner,
            age_seconds,
        } = self;
        write!(f, "{kind} {id} of {owner}, open for {age_seconds} s")
    }
}

/// While it lives, nothing is open and nothing is opened. It ends when it is dropped, or with the process.
pub struct Quiet(Session);

impl Quiet {
    /// Waits until the quiet is over although it was not dropped: its session broke, and members open batches again.
    pub async fn lost(&mut self) {
        self.0.ended().await;
    }
}

/// Waits for the quiet, for both other migrations and what is open as long as `patience`.
///
/// # Errors
/// [`StoreError::MigrationUnderWay`] or [`StoreError::StillOpen`] when that was not enough.
pub async fn take(config: &Config, patience: Duration) -> Result<Quiet, StoreError> {
    let began = Instant::now();
    let mut bounded = Bounded::connect(config).await?;
    bounded.lock(patience).await?;
    let mut has_told = false;
    loop {
        let under_way = bounded.under_way().await?;
        if under_way.is_empty() {
            return Ok(Quiet(bounded.session));
        }
        let waited = began.elapsed();
        if waited >= patience {
            return Err(StoreError::StillOpen { waited, under_way });
        }
        if !has_told {
            has_told = true;
            info!(open = under_way.len(), "waiting until what is open is over");
        }
        sleep(PAUSE).await;
    }
}

/// A session of which no question waits longer than it may.
struct Bounded {
    session: Session,
    limit: Duration,
}

impl Bounded {
    async fn connect(config: &Config) -> Result<Self, StoreError> {
        let operation = "wait for open batches";
        let connecting = Session::connect(config.url.expose());
        let session = pool::connected(operation, config.connect_timeout.get(), connecting).await?;
        let limit = config.statement_timeout.get() + pool::GRACE;
        Ok(Self { session, limit })
    }

    /// Has the lock alone. From the moment it waits, nothing more is opened.
    async fn lock(&mut self, patience: Duration) -> Result<(), StoreError> {
        let operation = "take the lock of migrations";
        let failed = |source| StoreError::Query { operation, source };
        let patience_ms = patience.as_millis().max(1);
        let set = format!("SET lock_timeout = {patience_ms}");
        let setting = diesel::sql_query(set).execute(&mut self.session);
        answer(operation, self.limit, setting)
            .await?
            .map_err(failed)?;
        let lock = format!("SELECT pg_advisory_lock({})", locks::OPENING);
        let locking = diesel::sql_query(lock).execute(&mut self.session);
        let locked = answer(operation, patience + self.limit, locking).await?;
        locked.map(drop).map_err(|source| match source {
            diesel::result::Error::DatabaseError(_, ref detail)
                if detail.message().contains("lock timeout") =>
            {
                StoreError::MigrationUnderWay { waited: patience }
            }
            other => failed(other),
        })
    }

    /// What is open. In a database that is new there are no tables for it.
    async fn under_way(&mut self) -> Result<Vec<UnderWay>, StoreError> {
        let operation = "list what is open";
        let failed = |source| StoreError::Query { operation, source };
        let asking = diesel::sql_query(
            "SELECT to_regclass('ingest_batch') IS NOT NULL AND to_regclass('settle_batch') IS NOT NULL AS yes",
        )
        .get_result::<Exists>(&mut self.session);
        let exists = answer(operation, self.limit, asking)
            .await?
            .map_err(failed)?;
        if !exists.yes {
            return Ok(Vec::new());
        }
        let listing = diesel::sql_query(
            "SELECT kind, id, owner, greatest(0, extract(epoch FROM clock_timestamp() - opened_at))::bigint AS age_seconds \
             FROM (SELECT 'batch' AS kind, id, owner, opened_at FROM ingest_batch WHERE state = 'open' \
                 UNION ALL SELECT 'settling', id, owner, opened_at FROM settle_batch WHERE state <> 'done') AS open \
             ORDER BY opened_at",
        )
        .load(&mut self.session);
        answer(operation, self.limit, listing)
            .await?
            .map_err(failed)
    }
}

#[derive(diesel::QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// An answer, or the error that none came.
async fn answer<T>(
    operation: &'static str,
    limit: Duration,
    asking: impl Future<Output = T>,
) -> Result<T, StoreError> {
    timeout(limit, asking)
        .await
        .map_err(|_| StoreError::NoAnswer { operation, limit })
}
