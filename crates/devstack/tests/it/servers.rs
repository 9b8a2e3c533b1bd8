use devstack::{PrivateStack, Server, StackConfig, test_stack};

use crate::{clients, processes};

#[test]
fn every_server_answers_once_the_stack_has_started() {
    let stack = PrivateStack::start(StackConfig::default()).unwrap();
    for server in Server::ALL {
        stack.probe(server).unwrap();
    }
}

#[test]
fn a_stack_has_only_the_servers_that_were_asked_for() {
    let stack = PrivateStack::start(StackConfig::only(&[Server::Redis])).unwrap();
    assert!(stack.is_running(Server::Redis));
    for absent in [Server::Kafka, Server::ClickHouse, Server::Postgres] {
        let refused = stack.restart(absent).unwrap_err().to_string();
        assert!(refused.contains(absent.name()), "{refused}");
    }
}

#[test]
fn a_dropped_stack_leaves_no_process_and_no_file() {
    let stack = PrivateStack::start(StackConfig::default()).unwrap();
    let directory = stack.directory().to_owned();
    assert!(processes::of_stack(&directory).len() >= 4);
    drop(stack);
    assert_eq!(processes::of_stack(&directory), Vec::<String>::new());
    assert!(!directory.exists());
}

#[tokio::test]
async fn data_survives_a_restart_of_each_server() {
    let stack = PrivateStack::start(StackConfig::default()).unwrap();
    write_everywhere(&stack).await;
    for server in Server::ALL {
        stack.restart(server).unwrap();
    }
    expect_everywhere(&stack).await;
}

#[tokio::test]
async fn data_survives_a_kill_of_each_server() {
    let stack = PrivateStack::start(StackConfig::default()).unwrap();
    write_everywhere(&stack).await;
    // Redis writes its log every second, which is all that it promises.
    let written = std::time::Instant::now();
    processes::eventually("a second has passed", || {
        written.elapsed().as_millis() > 1500
    });
    for server in Server::ALL {
        let pid = stack.pid(server).unwrap();
        stack.kill(server).unwrap();
        assert!(!stack.is_running(server));
        stack.probe(server).unwrap_err();
        stack.restart(server).unwrap();
        assert_ne!(stack.pid(server).unwrap(), pid);
    }
    expect_everywhere(&stack).await;
}

#[test]
fn clickhouse_logs_its_queries_also_after_a_restart() {
    let stack = PrivateStack::start(StackConfig::only(&[Server::ClickHouse])).unwrap();
    for mark in ["first", "second"] {
        let endpoints = stack.endpoints();
        clients::clickhouse(endpoints, &format!("SELECT '{mark}'")).unwrap();
        clients::clickhouse(endpoints, "SYSTEM FLUSH LOGS").unwrap();
        let found =
            format!("SELECT count() > 0 FROM system.query_log WHERE query = 'SELECT \\'{mark}\\''");
        assert_eq!(clients::clickhouse(endpoints, &found).unwrap(), "1\n");
        stack.restart(Server::ClickHouse).unwrap();
    }
}

async fn write_everywhere(stack: &PrivateStack) {
    let endpoints = stack.endpoints();
    clients::clickhouse(endpoints, "CREATE TABLE t (x UInt8) ORDER BY x").unwrap();
    clients::clickhouse(endpoints, "INSERT INTO t VALUES (41)").unwrap();
    clients::postgres(
        endpoints,
        "CREATE TABLE t (x int); INSERT INTO t VALUES (42)",
    )
    .await;
    clients::redis(endpoints, "SET t 43");
    clients::create_topic(endpoints, "t").await;
}

async fn expect_everywhere(stack: &PrivateStack) {
    let endpoints = stack.endpoints();
    let stored = clients::clickhouse(endpoints, "SELECT x FROM t").unwrap();
    assert_eq!(stored, "41\n");
    assert_eq!(
        clients::postgres(endpoints, "SELECT x FROM t").await,
        ["42"]
    );
    assert!(clients::redis(endpoints, "GET t").contains("43"));
    assert_eq!(clients::partitions(endpoints, "t"), 3);
}

#[tokio::test]
async fn tests_get_databases_of_their_own() {
    let stack = test_stack();
    let first = stack.postgres_database().await;
    let second = stack.postgres_database().await;
    assert_ne!(first, second);
    for url in [first, second] {
        let endpoints = devstack::Endpoints {
            postgres_url: url,
            ..stack.endpoints().clone()
        };
        let created = clients::postgres(&endpoints, "CREATE TABLE mine (); SELECT 'made'").await;
        assert_eq!(created, ["made"]);
    }
}

#[test]
fn commits_are_durable_and_topics_are_not_made_by_accident() {
    let stack = test_stack();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let setting = runtime.block_on(clients::postgres(
        stack.endpoints(),
        "SHOW synchronous_commit",
    ));
    assert_eq!(setting, ["on"]);
    assert_eq!(
        clients::partitions(stack.endpoints(), &stack.unique("absent")),
        0
    );
}
