//! A database of a test's own.

use std::time::{Duration, Instant};

use devstack::{postgres_client, test_stack};
use metadata_store::{Config, LaneId, Pool, batches, lanes, lanes::Lane, migrate};
use service_runtime::config::HumanDuration;
use tokio_postgres::Client;
use uuid::Uuid;

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A database and a member's pool.
pub(crate) struct Database {
    pub(crate) config: Config,
    pub(crate) pool: Pool,
}

impl Database {
    /// With the schema.
    pub(crate) async fn new() -> Self {
        let database = Self::empty().await;
        migrate(&database.config).await.unwrap();
        database
    }

    /// Without any table.
    pub(crate) async fn empty() -> Self {
        Self::at(&test_stack().postgres_database().await)
    }

    /// Where this URL leads.
    pub(crate) fn at(url: &str) -> Self {
        let config = Config {
            url: url.into(),
            ..Config::default()
        };
        let pool = Pool::new(&config).unwrap();
        Self { config, pool }
    }

    /// The pool of another process, which gives up sooner.
    pub(crate) fn hasty(&self, connections: u16, limit: Duration) -> Pool {
        let limit = HumanDuration::millis(u64::try_from(limit.as_millis()).unwrap());
        let config = Config {
            pool_size: connections,
            connect_timeout: limit,
            statement_timeout: limit,
            ..self.config.clone()
        };
        Pool::new(&config).unwrap()
    }

    /// The hand of an operator.
    pub(crate) async fn operator(&self) -> Client {
        postgres_client(self.config.url.expose()).await
    }

    /// Does what an operator might.
    pub(crate) async fn execute(&self, sql: &str) {
        self.operator().await.batch_execute(sql).await.unwrap();
    }

    /// How many rows there are of this.
    pub(crate) async fn count(&self, rows: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {rows}");
        self.operator()
            .await
            .query_one(&sql, &[])
            .await
            .unwrap()
            .get(0)
    }

    /// So many lanes that begin at offset 0 and were just taken over by `member`.
    pub(crate) async fn lanes(&self, count: i32) -> Vec<Lane> {
        let ids: Vec<LaneId> = (0..count).map(lane).collect();
        let starts: Vec<_> = ids.iter().map(|id| (id.clone(), 0)).collect();
        lanes::ensure(&self.pool, &starts).await.unwrap();
        lanes::take_over(&self.pool, "member", &ids).await.unwrap()
    }

    /// How a lane stands now.
    pub(crate) async fn lane(&self, partition: i32) -> Lane {
        lanes::find(&self.pool, &lane(partition))
            .await
            .unwrap()
            .unwrap()
    }

    /// How all lanes stand now.
    pub(crate) async fn all_lanes(&self) -> Vec<Lane> {
        lanes::all(&self.pool).await.unwrap()
    }

    /// The batches that are open, oldest first.
    pub(crate) async fn open_batches(&self) -> Vec<Uuid> {
        let open = batches::open(&self.pool).await.unwrap();
        open.into_iter().map(|(id, ..)| id).collect()
    }
}

/// A partition of the test's topic.
pub(crate) fn lane(partition: i32) -> LaneId {
    LaneId {
        topic: "events".to_owned(),
        partition,
    }
}

/// Asks until the answer is yes.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "it never was so that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
