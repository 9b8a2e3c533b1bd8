//! Platforms with a server of their own, which may suffer.

use crate::platform::{Platform, Servers, until};
use devstack::{PrivateStack, Server, StackConfig};

/// A platform and the stack of the one server that is its own.
pub async fn platform(server: Server, partitions: i32) -> (Platform, PrivateStack) {
    let starting =
        tokio::task::spawn_blocking(move || PrivateStack::start(StackConfig::only(&[server])));
    let stack = starting.await.unwrap().unwrap();
    let mut servers = Servers::shared().await;
    match server {
        Server::ClickHouse => servers.clickhouse = stack.endpoints().clickhouse_http.clone(),
        Server::Postgres => servers.postgres = stack.endpoints().postgres_url.clone(),
        Server::Kafka => servers.kafka = stack.endpoints().kafka.clone(),
        Server::Redis => {}
    }
    (Platform::on(servers, partitions).await, stack)
}

/// Waits until a server has died of what was done to it.
pub async fn dead(stack: &PrivateStack, server: Server) {
    assert!(
        until(async || !stack.is_running(server)).await,
        "{server} lives on"
    );
}
