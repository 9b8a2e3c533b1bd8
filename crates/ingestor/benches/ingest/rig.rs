//! A stack of the benchmark's own.

use crate::{program::Program, usage::Watched};
use anyhow::Context as _;
use devstack::{PrivateStack, Server, StackConfig, progress::Terminal};
use event_store::{
    Store,
    migrations::{self, Rendering},
};
use ingestor::Config;
use std::{
    net::TcpListener,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long a service may take until it is ready.
const START: Duration = Duration::from_secs(60);

/// Kafka, ClickHouse and PostgreSQL.
pub(crate) struct Rig {
    stack: PrivateStack,
}

impl Rig {
    /// Starts the servers in a temporary directory, on free ports.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let config = StackConfig {
            progress: Arc::new(Terminal),
            ..StackConfig::only(&[Server::Kafka, Server::ClickHouse, Server::Postgres])
        };
        let stack = PrivateStack::start(config).context("the servers do not start")?;
        Ok(Self { stack })
    }

    /// Stops the servers.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        Ok(self.stack.stop_all()?)
    }

    /// The ingestor's settings for a database of this stack; everything else is as by default.
    pub(crate) fn settings(&self, database: &str) -> anyhow::Result<Config> {
        let endpoints = self.stack.endpoints();
        let mut config = Config::default();
        config.kafka.brokers.clone_from(&endpoints.kafka);
        config.clickhouse.url = endpoints.clickhouse_http.parse()?;
        database.clone_into(&mut config.clickhouse.database);
        config.postgres.url = endpoints.postgres_url.as_str().into();
        Ok(config)
    }

    /// An empty ClickHouse database with the whole schema.
    pub(crate) async fn database(&self, name: &str) -> anyhow::Result<Store> {
        let store = Store::connect(&self.settings(name)?.clickhouse)?;
        migrations::apply(&store, &Rendering::single(name)).await?;
        Ok(store)
    }

    /// Takes a database away, so that its merges are at nobody else's cost.
    pub(crate) async fn drop(&self, store: &Store) -> anyhow::Result<()> {
        let sql = format!("DROP DATABASE {} SYNC", store.database());
        Ok(store.query(&sql).execute().await?)
    }

    /// The servers' processes.
    pub(crate) fn servers(&self) -> anyhow::Result<Watched> {
        let mut watched = Watched::default();
        for server in [Server::ClickHouse, Server::Kafka, Server::Postgres] {
            watched = watched.and(server.name(), self.stack.pid(server)?);
        }
        Ok(watched)
    }

    /// Starts one of our programs, with the servers in its environment.
    pub(crate) fn start_program(
        &self,
        name: &'static str,
        arguments: &[&str],
        database: &str,
        more: &[(&str, String)],
    ) -> anyhow::Result<Program> {
        let endpoints = self.stack.endpoints();
        let mut environment = vec![
            ("OPENRIDE_KAFKA_BROKERS", endpoints.kafka.clone()),
            ("OPENRIDE_CLICKHOUSE_URL", endpoints.clickhouse_http.clone()),
            ("OPENRIDE_CLICKHOUSE_DATABASE", database.to_owned()),
            ("OPENRIDE_POSTGRES_URL", endpoints.postgres_url.clone()),
        ];
        environment.extend_from_slice(more);
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        Program::start(name, &arguments, &environment, self.stack.directory())
    }

    /// Starts a service with further `settings`, which tells its readiness at `listen_setting`; returns it with its
    /// base URL.
    pub(crate) fn start_service(
        &self,
        name: &'static str,
        database: &str,
        listen_setting: &str,
        settings: &[(String, String)],
    ) -> anyhow::Result<(Program, String)> {
        let address = free_address()?;
        let settings = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()));
        let mut environment: Vec<_> = settings.collect();
        environment.push((listen_setting, address.clone()));
        let mut program = self.start_program(name, &["run"], database, &environment)?;
        let base = format!("http://{address}");
        let deadline = Instant::now() + START;
        while ureq::get(format!("{base}/health/ready")).call().is_err() {
            program.expect_running()?;
            anyhow::ensure!(
                Instant::now() < deadline,
                "{name} is not ready:\n{}",
                program.log_tail()
            );
            thread::sleep(Duration::from_millis(5));
        }
        Ok((program, base))
    }
}

fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
