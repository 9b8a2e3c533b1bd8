use std::{fs, net::TcpListener, process::Stdio};

use devstack::supervisor;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    clients,
    place::Place,
    processes::{self, eventually},
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_stop_leaves_no_process_and_no_lock() {
    let mut place = Place::new();
    place.start();
    assert!(processes::of_stack(place.path()).len() >= 4);
    assert!(place.output(&["stop"]).status.success());
    assert_eq!(place.expect_nothing_left(), 0);
    assert_eq!(place.output(&["status"]).status.code(), Some(3));
}

#[test]
fn ctrl_c_leaves_no_process_and_no_lock() {
    let mut place = Place::new();
    place.start();
    place.signal(Signal::SIGINT);
    assert_eq!(place.expect_nothing_left(), 0);
}

#[test]
fn ctrl_c_during_the_start_leaves_no_process_and_no_lock() {
    let mut place = Place::new();
    place.spawn();
    let path = place.path().to_owned();
    eventually("the first server is there", || {
        processes::of_stack(&path).len() >= 3
    });
    place.signal(Signal::SIGINT);
    assert_eq!(place.expect_nothing_left(), 1);
}

/// A place whose downloads never end: Kafka's jars come first, by a Maven that hangs.
fn place_with_hanging_download() -> (Place, tempfile::TempDir) {
    use std::os::unix::fs::PermissionsExt as _;
    let mut place = Place::new();
    let tools = tempfile::tempdir().unwrap();
    let maven = tools.path().join("mvn");
    fs::write(&maven, "#!/bin/sh\nexec tail -f $4\n").unwrap();
    fs::set_permissions(&maven, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        tools.path().display(),
        std::env::var("PATH").unwrap()
    );
    let child = place
        .devstack(&["run", "--servers-only"])
        .env("PATH", path)
        .env("XDG_CACHE_HOME", place.path().join("cache"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    place.running = Some(child);
    let cache = place.path().join("cache");
    eventually("the download hangs", || {
        processes::of_stack(&cache)
            .iter()
            .any(|process| process.contains("tail"))
    });
    (place, tools)
}

#[test]
fn ctrl_c_during_a_download_ends_it_at_once() {
    let (mut place, _tools) = place_with_hanging_download();
    place.signal(Signal::SIGINT);
    assert_eq!(place.expect_nothing_left(), 1);
}

#[test]
fn a_supervisor_killed_during_a_download_leaves_nothing() {
    let (mut place, _tools) = place_with_hanging_download();
    place.signal(Signal::SIGKILL);
    place.expect_nothing_left();
}

#[test]
fn a_killed_supervisor_leaves_nothing_and_the_next_start_finds_the_data() {
    let mut place = Place::new();
    place.start();
    let endpoints = place.endpoints();
    clients::clickhouse(&endpoints, "CREATE TABLE t (x UInt8) ORDER BY x").unwrap();
    clients::clickhouse(&endpoints, "INSERT INTO t VALUES (41)").unwrap();
    place.signal(Signal::SIGKILL);
    place.expect_nothing_left();
    place.start();
    let stored = clients::clickhouse(&endpoints, "SELECT x FROM t").unwrap();
    assert_eq!(stored, "41\n");
    place.signal(Signal::SIGTERM);
    assert_eq!(place.expect_nothing_left(), 0);
}

#[test]
fn a_second_supervisor_says_that_one_runs_already() {
    let mut place = Place::new();
    place.start();
    let second = place.output(&["run", "--servers-only"]);
    assert!(!second.status.success());
    let message = text(&second.stderr);
    assert!(message.contains("already runs"), "{message}");
    assert!(message.contains("make stop"), "{message}");
    assert!(supervisor::ask(place.path(), &["status"]).is_ok());
}

#[test]
fn taken_ports_are_named_with_their_settings_and_nothing_is_started() {
    let place = Place::new();
    let _redis = TcpListener::bind(("127.0.0.1", place.ports.redis)).unwrap();
    let _kafka = TcpListener::bind(("127.0.0.1", place.ports.kafka)).unwrap();
    let refused = place.output(&["run", "--servers-only"]);
    assert!(!refused.status.success());
    let message = text(&refused.stderr);
    for (port, setting) in [
        (place.ports.redis, "OPENRIDE_STACK_REDIS_PORT"),
        (place.ports.kafka, "OPENRIDE_STACK_KAFKA_PORT"),
    ] {
        assert!(
            message.contains(&format!("port {port} is taken")),
            "{message}"
        );
        assert!(message.contains(setting), "{message}");
    }
    assert!(processes::of_stack(place.path()).is_empty());
}

#[test]
fn a_start_that_fails_midway_stops_what_it_started() {
    let mut place = Place::new();
    // Redis finds a file where its directory should be; the others come up.
    fs::write(place.path().join("redis"), "in the way").unwrap();
    place.spawn();
    assert_eq!(place.expect_nothing_left(), 1);
}

#[test]
fn a_server_that_dies_is_started_again_and_one_that_was_stopped_is_not() {
    let mut place = Place::new();
    place.start();
    let path = place.path().to_owned();
    let pid_of = |name: &str| {
        let status = supervisor::ask(&path, &["status"]).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned();
        line.rsplit_once("pid ")
            .map(|(_, pid)| pid.parse::<i32>().unwrap())
    };
    let killed = pid_of("redis").unwrap();
    kill(Pid::from_raw(killed), Signal::SIGKILL).unwrap();
    eventually("redis runs again", || {
        pid_of("redis").is_some_and(|pid| pid != killed)
    });

    supervisor::ask(&path, &["stop", "clickhouse"]).unwrap();
    assert_eq!(pid_of("clickhouse"), None);
    let refused = supervisor::ask(&path, &["stop", "oracle"]).unwrap_err();
    assert!(refused.contains("clickhouse"), "{refused}");
    assert_eq!(pid_of("clickhouse"), None);
    supervisor::ask(&path, &["start", "clickhouse"]).unwrap();
    assert!(pid_of("clickhouse").is_some());
}

#[test]
fn clean_removes_the_data_but_not_under_a_running_stack() {
    let mut place = Place::new();
    place.start();
    assert!(!place.output(&["clean"]).status.success());
    assert!(place.path().join("kafka").exists());
    place.output(&["stop"]);
    place.expect_nothing_left();
    assert!(place.output(&["clean"]).status.success());
    assert!(!place.path().exists());
}
