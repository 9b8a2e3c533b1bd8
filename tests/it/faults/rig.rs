//! Servers of one's own, and members that are the real program.

use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use devstack::{PrivateStack, Server, StackConfig, postgres_client};
use event_store::Store;
use ingestor::Config;
use metadata_store::{Pool, lanes};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use service_runtime::config::HumanDuration;
use tempfile::TempDir;

/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a kill waits for an insert that it can strike.
const LULL: Duration = Duration::from_secs(30);

/// The program, as the sources are now: `cargo test` builds only its library for the tests of another package.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let this = env::current_exe().unwrap();
    let binaries = this.ancestors().nth(2).unwrap();
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // of the whole workspace, for the features that its other builds have
    command.args(["build", "--quiet", "--workspace", "--bin", "ingestor"]);
    command.args([
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    if binaries.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    binaries.join("ingestor")
});

/// A platform whose parts can be killed.
pub(super) struct Rig {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) pool: Pool,
    members: Vec<Child>,
    stack: PrivateStack,
    directory: TempDir,
    logs: usize,
}

impl Rig {
    pub(super) async fn new() -> Self {
        Self::in_directory(None).await
    }

    /// With the servers' data in a directory of one's own.
    pub(super) async fn in_directory(directory: Option<PathBuf>) -> Self {
        // before anything is timed
        LazyLock::force(&PROGRAM);
        let servers = [Server::Kafka, Server::ClickHouse, Server::Postgres];
        let stack = StackConfig {
            directory,
            ..StackConfig::only(&servers)
        };
        let starting = tokio::task::spawn_blocking(move || PrivateStack::start(stack));
        let stack = starting.await.unwrap().unwrap();
        let config = config(&stack);
        let migrations = migrate::Config {
            clickhouse: config.clickhouse.clone(),
            postgres: config.postgres.clone(),
            ..migrate::Config::default()
        };
        migrate::up(&migrations).await.unwrap();
        ingestor::topics::create(&config).await.unwrap();
        Self {
            store: Store::connect(&config.clickhouse).unwrap(),
            pool: Pool::new(&config.postgres).unwrap(),
            config,
            members: Vec::new(),
            stack,
            directory: tempfile::tempdir().unwrap(),
            logs: 0,
        }
    }

    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    pub(super) fn start_member(&mut self) {
        let mut settings = toml::Table::try_from(&self.config).unwrap();
        // a secret is not written out by itself
        let postgres = settings["postgres"].as_table_mut().unwrap();
        postgres.insert("url".to_owned(), self.config.postgres.url.expose().into());
        self.logs += 1;
        // of its own: the one that was started before may still be reading its settings
        let file = self
            .directory
            .path()
            .join(format!("member-{}.toml", self.logs));
        fs::write(&file, settings.to_string()).unwrap();
        let log = fs::File::create(
            self.directory
                .path()
                .join(format!("member-{}.log", self.logs)),
        )
        .unwrap();
        let mut command = Command::new(&*PROGRAM);
        command.env_clear().arg("--config").arg(file);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.members.push(command.spawn().unwrap());
    }

    pub(super) fn kill_member(&mut self, index: usize) {
        let mut member = self.members.swap_remove(index);
        member.kill().unwrap();
        member.wait().unwrap();
    }

    /// Ends a member in good order.
    pub(super) fn stop_member(&mut self, index: usize) {
        let mut member = self.members.swap_remove(index);
        signal(&member, Signal::SIGTERM);
        let status = member.wait().unwrap();
        // one that had only just been started does not listen yet, and ends at once
        let at_once = status.signal() == Some(Signal::SIGTERM as i32);
        assert!(status.success() || at_once, "{status}");
    }

    pub(super) fn stop_members(&mut self) {
        while !self.members.is_empty() {
            self.stop_member(0);
        }
    }

    /// A member does not notice how time goes by.
    pub(super) async fn halt_member(&mut self, index: usize, pause: Duration) {
        self.put_to_sleep(index);
        self.wait(pause).await;
        self.wake(index);
    }

    pub(super) fn put_to_sleep(&self, index: usize) {
        signal(&self.members[index], Signal::SIGSTOP);
    }

    pub(super) fn wake(&self, index: usize) {
        signal(&self.members[index], Signal::SIGCONT);
    }

    pub(super) fn kill_and_restart(&self, server: Server, pause: Duration) {
        println!("killing {server}");
        self.stack.kill(server).unwrap();
        thread::sleep(pause);
        self.stack.restart(server).unwrap();
    }

    /// The batches that ClickHouse is writing at this moment. Waits for one a while.
    pub(super) async fn under_insert(&self) -> Vec<String> {
        let inserts = "SELECT DISTINCT substring(query_id, 1, 36) FROM system.processes \
            WHERE match(query_id, '^[0-9a-f-]{36}/[a-z0-9_]+/[0-9a-f-]{36}$')";
        let since = Instant::now();
        loop {
            let batches: Vec<String> = self.store.query(inserts).fetch_all().await.unwrap();
            if !batches.is_empty() || since.elapsed() > LULL {
                return batches;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// How many of these batches were not written at their first attempt.
    pub(super) async fn recovered(&self, batches: &[String]) -> i64 {
        let client = postgres_client(self.config.postgres.url.expose()).await;
        let recovered =
            "SELECT count(*) FROM ingest_batch WHERE attempt > 1 AND id::text = ANY($1)";
        client
            .query_one(recovered, &[&batches])
            .await
            .unwrap()
            .get(0)
    }

    /// Random moments are what is tested; there is nothing to wait for.
    pub(super) async fn wait(&mut self, pause: Duration) {
        tokio::time::sleep(pause).await;
        for member in &mut self.members {
            assert_eq!(member.try_wait().unwrap(), None, "a member ended by itself");
        }
    }

    /// Waits until all lanes are owned, by so many members.
    pub(super) async fn owned_by(&self, members: usize) {
        let (mut seen, since) = (Vec::new(), Instant::now());
        loop {
            assert!(
                since.elapsed() < PATIENCE,
                "never shared by {members}: {seen:#?}\n{}",
                self.all_logs()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
            seen = lanes::all(&self.pool).await.unwrap_or_default();
            let owners: BTreeSet<_> = seen.iter().map(|lane| lane.owner.clone()).collect();
            if !owners.contains(&None) && owners.len() == members && !seen.is_empty() {
                return;
            }
        }
    }

    fn all_logs(&self) -> String {
        let log = |member| format!("member {member}:\n{}", self.log(member));
        (1..=self.logs).map(log).collect::<Vec<_>>().join("\n")
    }

    /// Everything that a member has said and written to its log.
    pub(super) fn log(&self, member: usize) -> String {
        let log = self.directory.path().join(format!("member-{member}.log"));
        fs::read_to_string(log).unwrap()
    }

    /// How many pairs of batches claim an offset that both hold.
    pub(super) async fn claimed_twice(&self) -> i64 {
        let client = postgres_client(self.config.postgres.url.expose()).await;
        let overlapping = "SELECT count(*) FROM ingest_range a JOIN ingest_range b \
             ON a.topic = b.topic AND a.partition = b.partition AND a.batch_id < b.batch_id \
             AND a.lo <= b.hi AND b.lo <= a.hi";
        client.query_one(overlapping, &[]).await.unwrap().get(0)
    }

    pub(super) async fn durable(&self) -> u64 {
        let lanes = lanes::all(&self.pool).await.unwrap_or_default();
        let offsets = lanes
            .iter()
            .map(|lane| lane.next_offset - lane.first_offset);
        u64::try_from(offsets.sum::<i64>()).unwrap()
    }

    /// Waits until as many offsets have a durable verdict.
    pub(super) async fn drained(&self, offsets: u64) {
        let (mut seen, mut since) = (0, Instant::now());
        while seen < offsets {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let durable = self.durable().await;
            if durable > seen {
                (seen, since) = (durable, Instant::now());
            }
            assert!(
                since.elapsed() < PATIENCE,
                "{seen} of {offsets} offsets are durable: {}",
                self.last_words()
            );
        }
    }

    /// Waits until no fact waits for its region.
    pub(super) async fn settled(&self) {
        let waiting = "SELECT toUInt64(sum(rows)) FROM system.parts \
            WHERE database = currentDatabase() AND startsWith(table, 'waiting_') AND active";
        let since = Instant::now();
        loop {
            let waiting: u64 = self.store.query(waiting).fetch_one().await.unwrap();
            if waiting == 0 {
                return;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "{waiting} facts wait for their regions: {}",
                self.last_words()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn last_words(&self) -> String {
        let text = self.log(self.logs);
        text.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

fn config(stack: &PrivateStack) -> Config {
    let endpoints = stack.endpoints();
    let mut config = Config::default();
    config.kafka.brokers = endpoints.kafka.clone();
    config.kafka.partitions = 4;
    config.kafka.session_timeout = HumanDuration::secs(6);
    config.clickhouse.url = endpoints.clickhouse_http.parse().unwrap();
    config.postgres.url = endpoints.postgres_url.as_str().into();
    config.admin.listen = "127.0.0.1:0".parse().unwrap();
    // small enough that a million events take many batches
    config.batch.max_rows = 20_000;
    config
}

fn signal(member: &Child, signal: Signal) {
    kill(Pid::from_raw(member.id().try_into().unwrap()), signal).unwrap();
}
