//! Locks that go with a session, and so with the process that has it. All of them, whoever takes them.

use crate::{Pool, StoreError, pool::Connection, session::Session};
use diesel::sql_types::{BigInt, Bool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

/// Whoever has it asks for missing migrations and applies them, alone.
pub(crate) const MIGRATING: i64 = 0x6f70_656e_7269_6465;
/// Whoever opens a batch or a settling shares it; whoever changes a schema has it alone.
pub(crate) const OPENING: i64 = 0x6f70_656e_696e_6773;
/// Whoever has it settles.
pub(crate) const SETTLING: i64 = 0x7365_7474_6c65;
/// Whoever has it puts back what this database has forgotten.
pub(crate) const PUTTING_BACK: i64 = 0x0072_6562_7569_6c74;

/// The right to do what one process does at a time. It ends when it is dropped, or with the process.
pub struct Turn(#[expect(dead_code, reason = "the session holds the lock")] Session);

/// A session that is asked for a lock. While the answer is not known it may hold it: then no pool may have it again.
struct Asking(Option<Connection>);

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.take());
        }
    }
}

/// Takes the turn, unless another session has it.
pub(crate) async fn try_turn(
    pool: &Pool,
    operation: &'static str,
    key: i64,
) -> Result<Option<Turn>, StoreError> {
    let mut asking = Asking(Some(pool.get(operation).await?));
    let Some(connection) = &mut asking.0 else {
        return Ok(None);
    };
    let taken = ask(connection, "SELECT pg_try_advisory_lock($1) AS yes", key)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    let connection = asking.0.take().filter(|_| taken);
    // out of the pool: the lock goes with the session
    Ok(connection.map(|connection| Turn(connection.take())))
}

/// Shares the lock until the transaction ends, unless another session has it alone or waits for that.
pub(crate) async fn try_share(
    tx: &mut AsyncPgConnection,
    key: i64,
) -> Result<bool, diesel::result::Error> {
    ask(
        tx,
        "SELECT pg_try_advisory_xact_lock_shared($1) AS yes",
        key,
    )
    .await
}

/// Shares the lock until the transaction ends.
pub(crate) async fn share(
    tx: &mut AsyncPgConnection,
    key: i64,
) -> Result<(), diesel::result::Error> {
    diesel::sql_query("SELECT pg_advisory_xact_lock_shared($1)")
        .bind::<BigInt, _>(key)
        .execute(tx)
        .await
        .map(drop)
}

async fn ask(
    connection: &mut AsyncPgConnection,
    sql: &str,
    key: i64,
) -> Result<bool, diesel::result::Error> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        yes: bool,
    }
    let answer: Answer = diesel::sql_query(sql)
        .bind::<BigInt, _>(key)
        .get_result(connection)
        .await?;
    Ok(answer.yes)
}
