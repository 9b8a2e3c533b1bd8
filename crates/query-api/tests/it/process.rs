//! The API as a process, whose log is read.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use query_api::{AuthMode, Config};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use service_runtime::lifecycle;

use crate::api::PATIENCE;

/// The trace of who asks.
pub(crate) const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";
/// The span of that trace in which it asks.
pub(crate) const PARENT: &str = "b7ad6b7169203331";

/// A running API, which is killed when the test ends.
pub(crate) struct Process {
    child: Child,
    log: Receiver<Value>,
    /// What was read of the log.
    read: Vec<Value>,
    base: String,
    client: reqwest::Client,
}

impl Process {
    /// With these databases, and this beside what they say.
    pub(crate) fn start(config: &Config, more: &[(&str, &str)]) -> Self {
        lifecycle::install_crypto_provider();
        let mode = match config.auth.mode {
            AuthMode::Off => "off",
            AuthMode::Required => "required",
        };
        let mut child = command(config)
            .env("OPENRIDE_HTTP_LISTEN", "127.0.0.1:0")
            .env("OPENRIDE_HTTP_WORKERS", "1")
            .env("OPENRIDE_AUTH_MODE", mode)
            .env("OPENRIDE_CACHE_ENABLED", config.cache.enabled.to_string())
            .env("OPENRIDE_TELEMETRY_LOG_FORMAT", "json")
            .envs(more.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut process = Self {
            log: lines(child.stderr.take().unwrap()),
            child,
            read: Vec::new(),
            base: String::new(),
            client: reqwest::Client::new(),
        };
        let ready = process.line("the API is ready");
        process.base = format!("http://{}", ready["address"].as_str().unwrap());
        process
    }

    /// A question, to be sent.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.ask(Method::GET, path)
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.client.request(method, url).timeout(PATIENCE)
    }

    /// The next line of the log that says this.
    pub(crate) fn line(&mut self, message: &str) -> Value {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            self.read.push(line.clone());
            if line["message"] == message {
                return line;
            }
        }
    }

    /// Ends it in good order; its whole log.
    pub(crate) fn end(mut self) -> Vec<Value> {
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(id, Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let mut read = std::mem::take(&mut self.read);
        read.extend(self.log.iter());
        read
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // fails only where it has ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with nothing but these databases.
pub(crate) fn command(config: &Config) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_query-api"));
    command
        .env_clear()
        .env("OPENRIDE_CLICKHOUSE_URL", config.clickhouse.url.as_str())
        .env("OPENRIDE_CLICKHOUSE_DATABASE", &config.clickhouse.database)
        .env("OPENRIDE_POSTGRES_URL", config.postgres.url.expose())
        .env("OPENRIDE_REDIS_URL", config.redis.url.expose());
    command
}

/// A new administrator's key, made by the command.
pub(crate) fn new_key(config: &Config) -> String {
    let mut command = command(config);
    let made = command.args(["keys", "create", "--name", "ops"]).output();
    let made = made.unwrap();
    assert!(made.status.success());
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn lines(log: ChildStderr) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let lines = BufReader::new(log).lines().map_while(Result::ok);
        lines
            .map(|line| {
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .try_for_each(|line| sender.send(line))
    });
    receiver
}
