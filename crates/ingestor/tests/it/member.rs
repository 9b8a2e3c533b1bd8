//! Members of the group: in this process, to be stopped in good order, or as programs, to be killed and halted.

use crate::{
    platform::Platform,
    proxy::{Fault, Proxy},
};
use devstack::Member;
use ingestor::Config;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use service_runtime::clock::{Clock, SystemClock};
use simulator::Record;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tempfile::TempDir;

/// A member that runs in this process.
pub fn start(config: &Config) -> Member {
    start_by(Arc::new(SystemClock), config)
}

/// One that has a clock of its own.
pub fn start_by(clock: Arc<dyn Clock>, config: &Config) -> Member {
    Member::start(|shutdown| ingestor::run_by(clock, config.clone(), shutdown))
}

/// Writes the configuration of a program into a directory.
pub fn write_config(config: &Config, directory: &Path) -> PathBuf {
    let mut file = toml::Table::try_from(config).unwrap();
    // a secret is not written out by itself
    let postgres = file["postgres"].as_table_mut().unwrap();
    postgres.insert("url".to_owned(), config.postgres.url.expose().into());
    let path = directory.join("ingestor.toml");
    fs::write(&path, file.to_string()).unwrap();
    path
}

/// The real program.
pub struct Program {
    child: Child,
    directory: TempDir,
}

impl Program {
    pub fn start(config: &Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = write_config(config, directory.path());
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_ingestor"))
            .env_clear()
            .env("RUST_LOG", env::var("RUST_LOG").unwrap_or_default())
            .arg("--config")
            .arg(path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, directory }
    }

    /// The only member of the platform, whose way to ClickHouse is the proxy: the records are sent, and the first of its
    /// requests with these words has just suffered the fault.
    pub async fn struck<'a>(
        platform: &Platform,
        words: &str,
        fault: Fault,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> (Self, Proxy) {
        let (proxy, config) = Proxy::before_clickhouse(platform).await;
        let member = Self::start(&config);
        platform.owned_by(1).await;
        proxy.plan(words, 0, fault);
        platform.send(records);
        proxy.struck().await;
        (member, proxy)
    }

    /// Ends it without a chance to do anything, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Halts it; it does not notice.
    pub fn halt(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets a halted one go on.
    pub fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Ends it in good order.
    pub fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// What it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            println!("the member said:\n{}", self.log());
        }
    }
}
