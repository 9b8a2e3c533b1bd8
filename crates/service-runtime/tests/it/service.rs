use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, command, output};

#[test]
fn sigterm_lets_the_service_drain_and_end_well() {
    let process = Process::start(command());
    process.line_with("admin listener ready");
    process.signal(Signal::SIGTERM);
    process.line_with(r#""signal":"SIGTERM""#);
    process.line_with("work ended");
    process.line_with(r#""message":"ended""#);
    assert_eq!(process.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_the_service_at_once() {
    let mut command = command();
    command.env("OPENRIDE_WORK_DRAIN", "1h");
    let process = Process::start(command);
    process.line_with("admin listener ready");
    process.signal(Signal::SIGTERM);
    process.line_with("work ended");
    process.signal(Signal::SIGINT);
    process.line_with("second signal");
    assert_eq!(process.wait().code(), Some(130));
}

#[test]
fn the_start_is_logged_as_json_with_the_configuration_and_without_its_secrets() {
    let mut command = command();
    command.env("OPENRIDE_WORK_TOKEN", "hunter2");
    let process = Process::start(command);
    let line = process.line_with(r#""message":"starting""#);
    assert!(!line.contains("hunter2"), "{line}");
    let line: Value = serde_json::from_str(&line).unwrap();
    let config: Value = serde_json::from_str(line["config"].as_str().unwrap()).unwrap();
    assert_eq!(config["work"]["token"], "[redacted]");
    assert_eq!(config["work"]["interval"], "20ms");
}

#[test]
fn a_mistake_in_the_environment_stops_the_start_with_a_readable_message() {
    let mut command = command();
    command
        .env("OPENRIDE_WORK_INTERVALL", "1s")
        .env("OPENRIDE_WORK_MEMORY", "much");
    let (status, _, error) = output(command);
    assert_eq!(status, Some(2));
    assert!(
        error.contains("error: the configuration has 2 problems:"),
        "{error}"
    );
    assert!(
        error.contains(
            "OPENRIDE_WORK_INTERVALL: unknown variable; did you mean OPENRIDE_WORK_INTERVAL?"
        ),
        "{error}"
    );
    assert!(
        error.contains("OPENRIDE_WORK_MEMORY: `much` is not a size in bytes"),
        "{error}"
    );
}

#[test]
fn a_malformed_log_filter_stops_the_start() {
    let mut command = command();
    command.env("OPENRIDE_TELEMETRY_LOG_FILTER", "info,ingestor=loud");
    let (status, _, error) = output(command);
    assert_eq!(status, Some(2));
    assert!(
        error.contains("OPENRIDE_TELEMETRY_LOG_FILTER (telemetry.log_filter)"),
        "{error}"
    );
}

#[test]
fn config_show_tells_values_and_origins_without_secrets() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("service.toml");
    std::fs::write(&path, "[work]\nmemory = '2 MiB'\n").unwrap();
    let mut command = command();
    command
        .args(["config", "show", "--config"])
        .arg(&path)
        .env("OPENRIDE_WORK_TOKEN", "hunter2");
    let (status, shown, error) = output(command);
    assert_eq!(status, Some(0), "{error}");
    assert!(
        shown.contains("OPENRIDE_WORK_TOKEN = \"[redacted]\"  # environment\n"),
        "{shown}"
    );
    assert!(
        shown.contains("OPENRIDE_WORK_INTERVAL = \"20ms\"  # default\n"),
        "{shown}"
    );
    let from_file = format!("OPENRIDE_WORK_MEMORY = \"2 MiB\"  # {}\n", path.display());
    assert!(shown.contains(&from_file), "{shown}");
}

#[test]
fn config_check_and_example_answer_without_starting_the_service() {
    let mut check = command();
    check.args(["config", "check"]);
    assert_eq!(output(check).1, "the configuration is valid\n");
    let mut example = command();
    example.args(["config", "example"]);
    let (status, text, _) = output(example);
    assert_eq!(status, Some(0));
    assert!(text.contains("# OPENRIDE_WORK_INTERVAL=20ms\n"), "{text}");
}

#[test]
fn a_panic_is_one_line_of_the_log() {
    let mut command = command();
    command.arg("panic");
    let (status, _, log) = output(command);
    assert_ne!(status, Some(0));
    let line = log.lines().find(|line| line.contains("panic:")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["message"], "panic: first line\nsecond line");
}

/// What was pushed: the path and the body of each request.
type Pushed = Vec<(String, Vec<u8>)>;

/// Takes what an OTLP collector takes, and keeps it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Pushed>>);

async fn collect(
    request: HttpRequest,
    body: web::Bytes,
    collector: web::Data<Collector>,
) -> HttpResponse {
    let received = (request.path().to_owned(), body.to_vec());
    collector.0.lock().unwrap().push(received);
    HttpResponse::Ok()
        .content_type("application/x-protobuf")
        .finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_and_metrics_are_pushed_to_the_collector_before_the_process_ends() {
    let collector = Collector::default();
    let data = web::Data::new(collector.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .default_service(web::to(collect))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let endpoint = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let serving = tokio::spawn(server);

    let mut command = command();
    command
        .env("OPENRIDE_TELEMETRY_OTLP_ENDPOINT", endpoint)
        .env("OPENRIDE_WORK_INTERVAL", "5ms");
    let process = Process::start(command);
    process.line_with("admin listener ready");
    process.signal(Signal::SIGTERM);
    let begin = Instant::now();
    assert_eq!(process.wait().code(), Some(0));
    assert!(begin.elapsed() < Duration::from_secs(10));

    handle.stop(true).await;
    serving.await.unwrap().unwrap();
    let received = collector.0.lock().unwrap();
    let pushed = |path: &str, needle: &[u8]| {
        let mut bodies = received
            .iter()
            .filter(|(to, _)| to == path)
            .map(|(_, body)| body);
        bodies.any(|body| body.windows(needle.len()).any(|window| window == needle))
    };
    assert!(pushed("/v1/traces", b"turn"));
    assert!(pushed("/v1/traces", b"minimal-service"));
    assert!(pushed("/v1/metrics", b"work.turns"));
}
