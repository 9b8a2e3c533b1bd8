//! The clocks of the members beside PostgreSQL's, which they all have in common.

use crate::{Pool, StoreError, error::TxError};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{IntoSql, dsl, sql_types::Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

/// How far a clock may be ahead of PostgreSQL's. Events are too old for a clock that is far ahead, and that verdict is final.
const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// A clock is so far ahead of PostgreSQL's that nothing may be decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock of this machine is ahead of PostgreSQL's: it says {ours}, and PostgreSQL's says {postgres}; set the one that \
     is wrong"
)]
pub struct ClockAhead {
    /// What it says.
    pub ours: DateTime<Utc>,
    /// What PostgreSQL's says.
    pub postgres: DateTime<Utc>,
}

/// Refuses a clock that says `now` when it is too far ahead.
///
/// # Errors
/// [`StoreError::ClockAhead`], or PostgreSQL does not answer.
pub async fn check(pool: &Pool, now: DateTime<Utc>) -> Result<(), StoreError> {
    let operation = "compare the clocks";
    let mut connection = pool.get(operation).await?;
    let ahead = ahead(&mut connection, now).await;
    match ahead.map_err(|error| error.during(operation))? {
        Some(ahead) => Err(ahead.into()),
        None => Ok(()),
    }
}

/// Whether a clock that says `ours` is too far ahead.
pub(crate) async fn ahead(
    tx: &mut AsyncPgConnection,
    ours: DateTime<Utc>,
) -> Result<Option<ClockAhead>, TxError> {
    let postgres = now(tx).await?;
    Ok((ours - postgres > MAX_AHEAD).then_some(ClockAhead { ours, postgres }))
}

/// What PostgreSQL's clock said when the transaction began.
pub(crate) async fn now(tx: &mut AsyncPgConnection) -> Result<DateTime<Utc>, TxError> {
    Ok(diesel::select(dsl::now.into_sql::<Timestamptz>())
        .first(tx)
        .await?)
}
