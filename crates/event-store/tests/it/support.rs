use std::{net::SocketAddr, time::Duration};

use event_store::{
    Buffers, Config, Params, Store,
    migrations::{Migration, embedded},
    native::{Block, Body, ColumnType},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep},
};

/// How long a condition may take to become true.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the test's ClickHouse is reached, in a database that does not exist yet.
pub(crate) fn config() -> Config {
    let stack = devstack::test_stack();
    Config {
        url: stack.endpoints().clickhouse_http.parse().unwrap(),
        database: stack.clickhouse_database("store"),
        ..Config::default()
    }
}

/// A client in a new, empty database.
pub(crate) async fn store() -> Store {
    store_of(&config()).await
}

pub(crate) async fn store_of(config: &Config) -> Store {
    let store = Store::connect(config).unwrap();
    let create = format!("CREATE DATABASE {}", config.database);
    let system = store.with_database("system");
    system.execute(&create, &Params::new()).await.unwrap();
    store
}

pub(crate) async fn execute(store: &Store, sql: &str) {
    store.execute(sql, &Params::new()).await.unwrap();
}

pub(crate) async fn count(store: &Store, table: &str) -> u64 {
    let sql = format!("SELECT count() FROM {table}");
    store.query(&sql).fetch_one().await.unwrap()
}

/// The embedded steps up to this one.
pub(crate) fn steps_until(last: u32) -> Vec<Migration> {
    let steps = embedded().unwrap().into_iter();
    steps.filter(|step| step.version <= last).collect()
}

/// As if a step had been cut short after so many of its statements.
pub(crate) async fn cut_short(store: &Store, step: &Migration, after: usize) {
    for statement in &step.statements[..after] {
        let sql = statement.template.replace("{{database}}", store.database());
        execute(store, &sql.replace("{{local}}", "")).await;
    }
}

/// As if a step had been cut short before it was recorded.
pub(crate) async fn forget_step(store: &Store, version: u32) {
    let forget = format!(
        "ALTER TABLE schema_migrations DELETE WHERE version = {version} SETTINGS mutations_sync = 2"
    );
    execute(store, &forget).await;
}

/// Ids from 0 and the `input(…)` that they are read with.
pub(crate) fn numbers(count: u64) -> (String, Body) {
    let mut block = Block::new();
    let n = block.add("n", ColumnType::uint64());
    for number in 0..count {
        block.set(n, number);
        block.finish_row();
    }
    (block.input(), block.take(&Buffers::default()).unwrap())
}

/// Waits until a query with this id is running, or is not.
pub(crate) async fn wait_for_query(store: &Store, id: &str, running: bool) {
    let sql = "SELECT count() FROM system.processes WHERE query_id = {id:String}";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let query = store.query(sql).param("id", id);
        let found: u64 = query.fetch_one().await.unwrap();
        if (found > 0) == running {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "query {id} running: {}",
            found > 0
        );
        sleep(Duration::from_millis(20)).await;
    }
}

/// What a [`proxy`] does to the first connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Harm {
    /// Passes so many bytes of the request on, then breaks both connections.
    TearRequest(usize),
    /// Passes the request on, and breaks the client's connection when the answer begins.
    LoseReply,
}

/// A way to the server that does harm once.
pub(crate) async fn proxy(server: SocketAddr, harm: Harm) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(server).await.unwrap();
        match harm {
            Harm::TearRequest(bytes) => tear(client, server, bytes).await,
            Harm::LoseReply => lose_reply(client, server).await,
        }
    });
    (address, task)
}

async fn tear(mut client: TcpStream, mut server: TcpStream, bytes: usize) {
    let mut request = vec![0; bytes];
    client.read_exact(&mut request).await.unwrap();
    server.write_all(&request).await.unwrap();
    server.flush().await.unwrap();
}

async fn lose_reply(client: TcpStream, server: TcpStream) {
    let (mut from_client, to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forward =
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    // the answer is there, so the query has ended
    from_server.read_u8().await.unwrap();
    drop(to_client);
    forward.abort();
}
