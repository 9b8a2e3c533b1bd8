//! Wires between the API and its servers, which a test can cut or slow down.

use devstack::{Server, Wire};
use query_api::Config;

/// A wire to this server. From now on the settings lead through it.
pub(crate) async fn through_wire(config: &mut Config, server: Server) -> Wire {
    let url = match server {
        Server::ClickHouse => config.clickhouse.url.as_str(),
        Server::Postgres => config.postgres.url.expose(),
        Server::Redis => config.redis.url.expose(),
        Server::Kafka => panic!("the API reads nothing from {server}"),
    };
    let (wire, through) = Wire::to(url).await.unwrap();
    set_url(config, server, &through);
    wire
}

/// From now on the settings lead there.
pub(crate) fn set_url(config: &mut Config, server: Server, url: &str) {
    match server {
        Server::ClickHouse => config.clickhouse.url = url.parse().unwrap(),
        Server::Postgres => config.postgres.url = url.into(),
        Server::Redis => config.redis.url = url.into(),
        Server::Kafka => panic!("the API reads nothing from {server}"),
    }
}
