//! The stack that the tests of all crates share.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{
    config::StackConfig,
    endpoints::Endpoints,
    error::{FileContext as _, Result, StackError},
    scratch,
    stack::PrivateStack,
};

/// Names the file that describes the running test stack; `devstack test` sets it.
pub const TEST_STACK_VARIABLE: &str = "OPENRIDE_TEST_STACK";

/// Real servers for tests. They are shared, so every test uses names of its own.
#[derive(Debug)]
pub struct TestStack {
    endpoints: Endpoints,
    _own: Option<PrivateStack>,
}

/// The test stack: the one that `OPENRIDE_TEST_STACK` describes, else one of this process, which is
/// started now and ends with it.
///
/// # Panics
/// When there is none and none can be started: no test can go on then.
#[expect(
    clippy::panic,
    reason = "a test without its servers has to fail, with the reason"
)]
pub fn test_stack() -> &'static TestStack {
    static STACK: OnceLock<Result<TestStack>> = OnceLock::new();
    match STACK.get_or_init(TestStack::attach_or_start) {
        Ok(stack) => stack,
        Err(error) => panic!("there is no test stack: {error}"),
    }
}

impl TestStack {
    fn attach_or_start() -> Result<Self> {
        if let Some(description) = env::var_os(TEST_STACK_VARIABLE) {
            return Ok(Self {
                endpoints: read_description(&PathBuf::from(description))?,
                _own: None,
            });
        }
        let stack = PrivateStack::start(StackConfig::default())?;
        Ok(Self {
            endpoints: stack.endpoints().clone(),
            _own: Some(stack),
        })
    }

    /// Where the servers are reached.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A name that no other test uses, fit for topics, databases and consumer groups.
    #[must_use]
    pub fn unique(&self, prefix: &str) -> String {
        format!("{prefix}_{}", Uuid::new_v4().simple())
    }

    /// A name for a database of ClickHouse, which is dropped when the thread ends that asks: that of the test.
    #[must_use]
    pub fn clickhouse_database(&self, prefix: &str) -> String {
        let name = self.unique(prefix);
        scratch::drop_with_this_thread(&self.endpoints.clickhouse_http, &name);
        name
    }

    /// Creates an empty PostgreSQL database and returns its URL.
    ///
    /// # Panics
    /// When PostgreSQL refuses: no test can go on then.
    #[expect(
        clippy::panic,
        reason = "a test without its database has to fail, with the reason"
    )]
    pub async fn postgres_database(&self) -> String {
        let name = self.unique("test");
        match create_database(&self.endpoints.postgres_url, &name).await {
            Ok(()) => with_database(&self.endpoints.postgres_url, &name),
            Err(error) => panic!("no database for the test: {error}"),
        }
    }
}

/// A client of the PostgreSQL database at a URL. Its connection ends when it is dropped.
///
/// # Panics
/// When PostgreSQL refuses: no test can go on then.
#[expect(
    clippy::panic,
    reason = "a test without its client has to fail, with the reason"
)]
pub async fn postgres_client(url: &str) -> Client {
    match connect(url).await {
        Ok(client) => client,
        Err(error) => panic!("no connection for the test: {error}"),
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends because its client is gone; whoever asks the client hears of any other end.
    tokio::spawn(connection);
    Ok(client)
}

/// Writes the description that `OPENRIDE_TEST_STACK` names.
pub(crate) fn write_description(path: &Path, endpoints: &Endpoints) -> Result<()> {
    let file = fs::File::create(path).on("create", path)?;
    serde_json::to_writer_pretty(file, endpoints)
        .map_err(std::io::Error::from)
        .on("write", path)
}

fn read_description(path: &Path) -> Result<Endpoints> {
    let text = fs::read_to_string(path).on("read", path)?;
    serde_json::from_str(&text).map_err(|source| StackError::BadDescription {
        path: path.to_owned(),
        source,
    })
}

async fn create_database(url: &str, name: &str) -> Result<()> {
    let statement = format!("CREATE DATABASE {name}");
    let refused = |source| StackError::Postgres {
        statement: statement.clone(),
        source,
    };
    let client = connect(url).await.map_err(refused)?;
    client.batch_execute(&statement).await.map_err(refused)
}

fn with_database(url: &str, name: &str) -> String {
    let base = url.rsplit_once('/').map_or(url, |(base, _)| base);
    format!("{base}/{name}")
}
