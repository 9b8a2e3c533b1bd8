//! Where the servers of a stack are reached.

use serde::{Deserialize, Serialize};

use crate::ports::Ports;

/// The role that owns the databases of the local stack.
pub const POSTGRES_USER: &str = "openride";
/// The ClickHouse database of the services; the migrations create it.
pub const CLICKHOUSE_DATABASE: &str = "openride_analytics";
/// The PostgreSQL database that the stack creates for the services.
pub const POSTGRES_DATABASE: &str = "openride_analytics";

/// Addresses of a stack's servers, in the form that the clients take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Kafka bootstrap server, `host:port`.
    pub kafka: String,
    /// ClickHouse's HTTP interface, a URL without a path.
    pub clickhouse_http: String,
    /// Port of ClickHouse's native protocol on 127.0.0.1.
    pub clickhouse_tcp: u16,
    /// PostgreSQL URL of the stack's own database.
    pub postgres_url: String,
    /// Redis URL.
    pub redis_url: String,
}

impl Endpoints {
    pub(crate) fn of(ports: &Ports) -> Self {
        Self {
            kafka: format!("127.0.0.1:{}", ports.kafka),
            clickhouse_http: format!("http://127.0.0.1:{}", ports.clickhouse_http),
            clickhouse_tcp: ports.clickhouse_tcp,
            postgres_url: format!(
                "postgres://{POSTGRES_USER}@127.0.0.1:{}/{POSTGRES_DATABASE}",
                ports.postgres
            ),
            redis_url: format!("redis://127.0.0.1:{}/0", ports.redis),
        }
    }
}
