//! The hand of an operator in the database of a platform, or what a failover to an older state does to it.

use crate::platform::{Platform, until};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

const TABLES: [&str; 5] = [
    "ingest_batch",
    "ingest_range",
    "ingest_lane",
    "settle_batch",
    "settle_horizon",
];

pub struct Database(AsyncPgConnection);

impl Database {
    pub async fn of(platform: &Platform) -> Self {
        let url = platform.config.postgres.url.expose();
        Self(AsyncPgConnection::establish(url).await.unwrap())
    }

    pub async fn execute(&mut self, sql: &str) {
        self.0.batch_execute(sql).await.unwrap();
    }

    /// How many rows there are of this.
    pub async fn count(&mut self, rows: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Counted {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            rows: i64,
        }
        let sql = format!("SELECT count(*) AS rows FROM {rows}");
        let counted: Counted = diesel::sql_query(sql)
            .get_result(&mut self.0)
            .await
            .unwrap();
        counted.rows
    }

    /// Lets a table be read by nobody until it is rolled back or committed.
    pub async fn lock(&mut self, table: &str) {
        self.execute(&format!(
            "BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"
        ))
        .await;
    }

    /// Waits until a statement on the server waits for a table.
    pub async fn waited_for(&mut self, table: &str) {
        let waiting = format!("pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
        let is_so = until(async || self.count(&waiting).await > 0);
        assert!(is_so.await, "nobody waits for {table}");
    }

    /// How many batches were not written at their first attempt.
    pub async fn repaired_batches(&mut self) -> i64 {
        self.count("ingest_batch WHERE attempt > 1").await
    }

    /// Keeps a copy of everything that the ingestor stores.
    pub async fn remember(&mut self) {
        let copies = TABLES.map(|table| format!("CREATE TABLE kept_{table} AS TABLE {table};"));
        let all = copies.concat();
        self.execute(&format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; {all} COMMIT;"
        ))
        .await;
    }

    /// Puts the copy in the place of what is stored now.
    pub async fn go_back(&mut self) {
        let back = TABLES
            .map(|table| format!("INSERT INTO {table} SELECT * FROM kept_{table};"))
            .concat();
        let tables = TABLES.join(", ");
        self.execute(&format!("BEGIN; TRUNCATE {tables}; {back} COMMIT;"))
            .await;
    }

    /// Keeps a copy of nothing: the database is as it was made.
    pub async fn go_back_to_the_beginning(&mut self) {
        self.execute(
            "BEGIN; TRUNCATE ingest_batch, ingest_range, ingest_lane, settle_batch; \
             UPDATE settle_horizon SET bucket = 0; COMMIT;",
        )
        .await;
    }
}
