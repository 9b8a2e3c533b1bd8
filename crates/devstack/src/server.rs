//! The four servers of the stack, by name.

use std::{fmt, str::FromStr};

/// One of the servers that the stack runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Server {
    /// Apache Kafka, one `KRaft` node.
    Kafka,
    /// ClickHouse, run from its embeddable library.
    ClickHouse,
    /// PostgreSQL.
    Postgres,
    /// Redis.
    Redis,
}

impl Server {
    /// All servers, in the order in which they are started.
    pub const ALL: [Self; 4] = [Self::Kafka, Self::ClickHouse, Self::Postgres, Self::Redis];

    /// The name used for directories, logs and commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::ClickHouse => "clickhouse",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Server {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|server| server.name() == name)
            .ok_or(())
    }
}
