use std::process::{Command, Output};

use migrate::Config;

use crate::stores;

/// Runs the binary against the stores of a configuration: its exit status, standard output and log.
fn migrate(config: &Config, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(arguments)
        .env_clear()
        .env("OPENRIDE_CLICKHOUSE_URL", config.clickhouse.url.as_str())
        .env("OPENRIDE_CLICKHOUSE_DATABASE", &config.clickhouse.database)
        .env("OPENRIDE_POSTGRES_URL", config.postgres.url.expose())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_migrates_and_its_status_fails_until_it_has() {
    let config = stores::config().await;
    let (code, shown, log) = migrate(&config, &["status"]);
    assert_eq!(code, Some(1), "{log}");
    assert!(shown.contains("pending"), "{shown}");

    let (code, _, log) = migrate(&config, &[]);
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(config.postgres.url.expose()), "{log}");

    let (code, shown, log) = migrate(&config, &["status"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(!shown.contains("pending"), "{shown}");
    assert!(
        shown.contains("postgres    all migrations: applied"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there_fails_the_run_with_its_name() {
    let mut config = stores::config().await;
    config.clickhouse.url = "http://127.0.0.1:1".parse().unwrap();
    let (code, _, log) = migrate(&config, &["up"]);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("ClickHouse is not migrated"), "{log}");
}
