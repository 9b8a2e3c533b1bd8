//! What stands between the definitions and a database.

use clickhouse::{RowOwned, RowRead};

use crate::query::Query;

/// What every statement needs to be true: it reads some tables twice, and both times must see the same.
pub const SETTINGS: [(&str, &str); 1] = [("enable_shared_storage_snapshot_in_query", "1")];

/// Sends statements and reads their rows.
///
/// A definition that needs several statements says in which order they are asked: what is settled between two of them
/// must not be counted twice, nor be missed.
pub trait Ask: Sync {
    /// Why a statement was not answered.
    type Error: Send;

    /// All rows of a statement. The name is for errors and the server's query log.
    fn rows<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: &Query,
    ) -> impl Future<Output = Result<Vec<T>, Self::Error>> + Send;

    /// The one row of a statement.
    fn row<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: &Query,
    ) -> impl Future<Output = Result<T, Self::Error>> + Send;

    /// The rows of a statement that is only sometimes needed.
    fn rows_if<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: Option<&Query>,
    ) -> impl Future<Output = Result<Option<Vec<T>>, Self::Error>> + Send {
        async move {
            match query {
                Some(query) => self.rows(name, query).await.map(Some),
                None => Ok(None),
            }
        }
    }
}
