//! A request is found in the log by the trace of its caller.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use serde_json::Value;
use service_runtime::lifecycle;

use crate::api::databases;

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";
const PATIENCE: Duration = Duration::from_secs(20);

/// The API as a process, over a ClickHouse database that does not exist.
struct Process {
    child: Child,
    log: Receiver<Value>,
}

impl Process {
    async fn start() -> Self {
        let config = databases().await;
        let mut child = Command::new(env!("CARGO_BIN_EXE_query-api"))
            .env_clear()
            .env("OPENRIDE_HTTP_LISTEN", "127.0.0.1:0")
            .env("OPENRIDE_HTTP_WORKERS", "1")
            .env("OPENRIDE_AUTH_MODE", "off")
            .env("OPENRIDE_CLICKHOUSE_URL", config.clickhouse.url.as_str())
            .env("OPENRIDE_CLICKHOUSE_DATABASE", "nowhere")
            .env("OPENRIDE_POSTGRES_URL", config.postgres.url.expose())
            .env("OPENRIDE_TELEMETRY_LOG_FORMAT", "json")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = lines(child.stderr.take().unwrap());
        Self { child, log }
    }

    /// The next line of the log that says this.
    fn line(&self, message: &str) -> Value {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // fails only where it has ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(log: ChildStderr) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let lines = BufReader::new(log).lines().map_while(Result::ok);
        lines
            .map_while(|line| serde_json::from_str(&line).ok())
            .try_for_each(|line| sender.send(line))
    });
    receiver
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_of_a_request_names_the_trace_of_its_caller_or_a_new_one() {
    lifecycle::install_crypto_provider();
    let api = Process::start().await;
    let ready = api.line("the API is ready");
    let url = format!(
        "http://{}/v1/metrics/trips",
        ready["address"].as_str().unwrap()
    );
    let request = reqwest::Client::new().get(url).timeout(PATIENCE);
    let called = request
        .try_clone()
        .unwrap()
        .header("traceparent", format!("00-{CALLER}-b7ad6b7169203331-00"))
        .header("x-request-id", "caller-1");
    assert_eq!(called.send().await.unwrap().status(), 500);
    let line = api.line("the request failed");
    assert_eq!(line["trace_id"], CALLER);
    assert_eq!(line["span"]["request_id"], "caller-1");
    assert_ne!(line["span_id"], "b7ad6b7169203331");

    let mut traces = Vec::new();
    for _ in 0..2 {
        request.try_clone().unwrap().send().await.unwrap();
        traces.push(api.line("the request failed")["trace_id"].clone());
    }
    assert_eq!(traces[0].as_str().map(str::len), Some(32));
    assert_ne!(traces[0], traces[1]);
}
