//! Who did what. An entry is written in the transaction of what it tells, and never changed: PostgreSQL refuses it.

use crate::{Pool, StoreError, schema::audit_entry};
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper, pg::Pg};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

/// Who does something, and at which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// A key, the subject of a token, or a process; 1 to 300 characters.
    pub actor: String,
    /// The id of the request; none for what nobody has asked for by one.
    pub request_id: Option<String>,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_entry, check_for_backend(Pg))]
pub struct Entry {
    /// Grows from entry to entry, with gaps where a change was rolled back.
    pub id: i64,
    /// When it was written, by PostgreSQL's clock.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// What was done, such as `api_key.create`.
    pub action: String,
    /// What it was done to, such as `api_key/` and an id.
    pub subject: String,
    /// The id of the request.
    pub request_id: Option<String>,
    /// What else is to be known; an object.
    pub detail: Value,
}

/// Writes what is done within the transaction that does it: both are committed, or neither. `detail` is an object, and
/// holds nothing secret.
pub(crate) async fn append(
    tx: &mut AsyncPgConnection,
    act: &Act,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), diesel::result::Error> {
    diesel::insert_into(audit_entry::table)
        .values((
            audit_entry::actor.eq(&act.actor),
            audit_entry::action.eq(action),
            audit_entry::subject.eq(subject),
            audit_entry::request_id.eq(&act.request_id),
            audit_entry::detail.eq(detail),
        ))
        .execute(tx)
        .await
        .map(drop)
}

/// The latest entries, at most so many, newest first.
pub async fn latest(pool: &Pool, limit: u32) -> Result<Vec<Entry>, StoreError> {
    read(pool, audit_entry::table.into_boxed(), limit).await
}

/// The latest entries of a subject, at most so many, newest first.
pub async fn of_subject(pool: &Pool, subject: &str, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let entries = audit_entry::table.filter(audit_entry::subject.eq(subject));
    read(pool, entries.into_boxed(), limit).await
}

async fn read(
    pool: &Pool,
    entries: audit_entry::BoxedQuery<'_, Pg>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let operation = "read the audit";
    let mut connection = pool.get(operation).await?;
    entries
        .order(audit_entry::id.desc())
        .limit(i64::from(limit))
        .select(Entry::as_select())
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })
}
