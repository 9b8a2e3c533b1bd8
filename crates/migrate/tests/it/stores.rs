use devstack::test_stack;
use migrate::Config;
use service_runtime::{config::Secret, lifecycle};

/// Databases of their own in real stores. PostgreSQL's is there and empty, ClickHouse's is not there.
pub(crate) async fn config() -> Config {
    lifecycle::install_crypto_provider();
    let stack = tokio::task::spawn_blocking(test_stack).await.unwrap();
    let mut config = Config::default();
    config.clickhouse.url = stack.endpoints().clickhouse_http.parse().unwrap();
    config.clickhouse.database = stack.clickhouse_database("migrate");
    config.postgres.url = Secret::from(stack.postgres_database().await);
    config
}
