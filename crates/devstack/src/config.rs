//! What a stack is made of.

use std::{fmt, path::PathBuf, sync::Arc};

use crate::{
    interrupt::Interrupt,
    ports::{PortUse, Ports},
    progress::{Progress, Silent},
    server::Server,
};

/// Which servers a stack has, where it lives and who hears of its progress. The default: all four,
/// in a temporary directory, on free ports, silently.
#[derive(Clone)]
pub struct StackConfig {
    /// Run Kafka.
    pub kafka: bool,
    /// Run ClickHouse.
    pub clickhouse: bool,
    /// Run PostgreSQL.
    pub postgres: bool,
    /// Run Redis.
    pub redis: bool,
    /// Where data and logs stay. `None`: a temporary directory that goes with the stack.
    pub directory: Option<PathBuf>,
    /// The ports. `None`: free ones.
    pub ports: Option<Ports>,
    /// Ports that other programs of the caller need: a start checks them with those of the servers.
    pub other_ports: Vec<PortUse>,
    /// Hears what is going on.
    pub progress: Arc<dyn Progress>,
    /// Raised to give up a start.
    pub interrupt: Interrupt,
}

impl Default for StackConfig {
    fn default() -> Self {
        Self {
            kafka: true,
            clickhouse: true,
            postgres: true,
            redis: true,
            directory: None,
            ports: None,
            other_ports: Vec::new(),
            progress: Arc::new(Silent),
            interrupt: Interrupt::default(),
        }
    }
}

impl StackConfig {
    /// A stack of the named servers only.
    #[must_use]
    pub fn only(servers: &[Server]) -> Self {
        Self {
            kafka: servers.contains(&Server::Kafka),
            clickhouse: servers.contains(&Server::ClickHouse),
            postgres: servers.contains(&Server::Postgres),
            redis: servers.contains(&Server::Redis),
            ..Self::default()
        }
    }

    pub(crate) fn servers(&self) -> Vec<Server> {
        let wanted = |server: &Server| match server {
            Server::Kafka => self.kafka,
            Server::ClickHouse => self.clickhouse,
            Server::Postgres => self.postgres,
            Server::Redis => self.redis,
        };
        Server::ALL.into_iter().filter(wanted).collect()
    }
}

impl fmt::Debug for StackConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackConfig")
            .field("servers", &self.servers())
            .field("directory", &self.directory)
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}
