//! Our own programs as children, which end with this process.

use anyhow::{Context as _, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a program may take to end in good order.
const PATIENCE: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(10);

/// A running program.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts the program of this build. It is killed when the calling thread ends, so that must be the main one.
    pub(crate) fn start(
        name: &'static str,
        arguments: &[String],
        environment: &[(&str, String)],
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let binaries = binaries()?;
        let log = logs.join(format!("{name}.bench.log"));
        let output = fs::File::create(&log)?;
        let path = binaries.join(name);
        if !path.exists() {
            bail!("{name} is not built: cargo build --release -p {name}");
        }
        let child = Command::new(binaries.join("devstack"))
            .args(["child", "--parent", &std::process::id().to_string(), "--"])
            .arg(path)
            .args(arguments)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .envs(environment.iter().map(|(key, value)| (*key, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        Ok(Self { name, child, log })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails if it has ended.
    pub(crate) fn expect_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended, {status}:\n{}", self.name, self.log_tail()),
            None => Ok(()),
        }
    }

    /// Waits until it has done its work and can still be looked at, its times included; [`Self::end`] comes next.
    pub(crate) fn await_work(&self, limit: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + limit;
        let pid = i32::try_from(self.pid())?;
        while procfs::process::Process::new(pid)?.stat()?.state != 'Z' {
            if Instant::now() > deadline {
                bail!("{} is not done after {limit:?}", self.name);
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("{} ended, {status}:\n{}", self.name, self.log_tail()),
                None if Instant::now() > deadline => {
                    bail!("{} does not end:\n{}", self.name, self.log_tail())
                }
                None => thread::sleep(POLL),
            }
        }
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(i32::try_from(self.pid())?), Signal::SIGTERM)?;
        self.end()
    }

    /// The last lines that it has said.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let skipped = lines.len().saturating_sub(15);
        lines
            .into_iter()
            .skip(skipped)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The programs of one build lie side by side.
fn binaries() -> anyhow::Result<PathBuf> {
    Path::new(env!("CARGO_BIN_EXE_ingestor"))
        .parent()
        .map(Path::to_owned)
        .context("the ingestor lies nowhere")
}
