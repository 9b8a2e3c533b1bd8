use service_runtime::health::HealthState;
use tracing::warn;

use crate::services::Services;

/// Ready while the numbers can be read. PostgreSQL is asked too, although metrics are answered without it for a
/// while: the ledger is not. Redis is asked and shown, but everything is answered without it; so is the user of
/// ClickHouse for callers that see some regions only, for there need not be any.
pub(crate) fn state(services: &Services) -> HealthState {
    let (clickhouse, lanes) = (services.clickhouse.clone(), services.lanes.clone());
    let (scoped, redis) = (services.clone(), services.redis.clone());
    HealthState::builder(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .check("clickhouse", move || {
            let clickhouse = clickhouse.clone();
            async move { reported("clickhouse", clickhouse.ping().await) }
        })
        .optional("clickhouse_scoped", move || {
            let services = scoped.clone();
            async move { reported("clickhouse_scoped", services.ping_scoped().await) }
        })
        .check("postgres", move || {
            let lanes = lanes.clone();
            async move { reported("postgres", lanes.ping().await) }
        })
        .optional("redis", move || {
            let redis = redis.clone();
            async move {
                let pong = redis.ping().await;
                pong.map_err(|_| "it does not answer".to_owned())
            }
        })
        .build()
}

/// Details are for the log; whoever can reach the port reads the reason.
fn reported<E: std::error::Error>(dependency: &str, result: Result<(), E>) -> Result<(), String> {
    result.map_err(|error| {
        warn!(dependency, %error, "a dependency does not answer");
        "it does not answer".to_owned()
    })
}
