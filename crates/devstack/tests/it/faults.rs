use std::{thread, time::Duration};

use devstack::{PrivateStack, Server, StackConfig};

use crate::{clients, processes};

fn clickhouse_alone() -> PrivateStack {
    PrivateStack::start(StackConfig::only(&[Server::ClickHouse])).unwrap()
}

#[test]
fn a_paused_server_is_silent_until_it_is_resumed() {
    let stack = PrivateStack::start(StackConfig::only(&[Server::Redis])).unwrap();
    stack.pause(Server::Redis).unwrap();
    stack.probe(Server::Redis).unwrap_err();
    assert!(stack.is_running(Server::Redis));
    stack.resume(Server::Redis).unwrap();
    stack.probe(Server::Redis).unwrap();
}

#[test]
fn a_paused_server_can_be_stopped() {
    let stack = PrivateStack::start(StackConfig::only(&[Server::Redis])).unwrap();
    stack.pause(Server::Redis).unwrap();
    stack.stop(Server::Redis).unwrap();
    assert!(!stack.is_running(Server::Redis));
}

#[test]
fn clickhouse_dies_at_the_rename_of_an_insert_and_comes_back() {
    let stack = clickhouse_alone();
    let endpoints = stack.endpoints();
    clients::clickhouse(endpoints, "CREATE TABLE t (x UInt8) ORDER BY x").unwrap();
    let tracer = stack
        .attach_strace(
            Server::ClickHouse,
            &[
                "-e",
                "trace=rename",
                "-e",
                "inject=rename:signal=SIGKILL:when=1",
            ],
        )
        .unwrap();
    clients::clickhouse(endpoints, "INSERT INTO t VALUES (1)").unwrap_err();
    processes::eventually("ClickHouse is dead", || {
        !stack.is_running(Server::ClickHouse)
    });
    drop(tracer);
    stack.restart(Server::ClickHouse).unwrap();
    let stored = clients::clickhouse(endpoints, "SELECT count() FROM t").unwrap();
    assert!(stored == "0\n" || stored == "1\n", "{stored}");
}

#[test]
fn a_detached_server_runs_on_without_faults() {
    let stack = clickhouse_alone();
    let endpoints = stack.endpoints();
    clients::clickhouse(endpoints, "CREATE TABLE t (x UInt8) ORDER BY x").unwrap();
    let tracer = stack
        .attach_strace(
            Server::ClickHouse,
            &["-e", "trace=rename", "-e", "inject=rename:error=ENOSPC"],
        )
        .unwrap();
    let refused = clients::clickhouse(endpoints, "INSERT INTO t VALUES (1)");
    refused.unwrap_err();
    tracer.detach().unwrap();
    clients::clickhouse(endpoints, "INSERT INTO t VALUES (2)").unwrap();
    let stored = clients::clickhouse(endpoints, "SELECT x FROM t").unwrap();
    assert_eq!(stored, "2\n");
}

#[test]
fn servers_outlive_the_thread_that_started_them() {
    let stack = thread::spawn(|| PrivateStack::start(StackConfig::only(&[Server::Redis])).unwrap())
        .join()
        .unwrap();
    // Had the thread forked the server, it would have been killed when the thread ended.
    for _ in 0..20 {
        stack.probe(Server::Redis).unwrap();
        thread::sleep(Duration::from_millis(20));
    }
}
