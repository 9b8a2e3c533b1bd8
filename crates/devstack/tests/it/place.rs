//! A supervisor of its own, run as its users run it.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use devstack::{Endpoints, ports::Ports, supervisor};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::processes::{self, eventually};

/// A stack directory, ports of its own, and whatever runs there.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    pub(crate) ports: Ports,
    pub(crate) running: Option<Child>,
}

impl Place {
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            directory,
            ports: Ports::free().unwrap(),
            running: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        let ports = &self.ports;
        Endpoints {
            kafka: format!("127.0.0.1:{}", ports.kafka),
            clickhouse_http: format!("http://127.0.0.1:{}", ports.clickhouse_http),
            clickhouse_tcp: ports.clickhouse_tcp,
            postgres_url: format!(
                "postgres://openride@127.0.0.1:{}/openride_analytics",
                ports.postgres
            ),
            redis_url: format!("redis://127.0.0.1:{}/0", ports.redis),
        }
    }

    pub(crate) fn devstack(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devstack"));
        command
            .args(arguments)
            .env("OPENRIDE_STACK_DIR", self.path());
        for (variable, port) in [
            ("OPENRIDE_STACK_KAFKA_PORT", self.ports.kafka),
            (
                "OPENRIDE_STACK_KAFKA_CONTROLLER_PORT",
                self.ports.kafka_controller,
            ),
            (
                "OPENRIDE_STACK_CLICKHOUSE_HTTP_PORT",
                self.ports.clickhouse_http,
            ),
            (
                "OPENRIDE_STACK_CLICKHOUSE_TCP_PORT",
                self.ports.clickhouse_tcp,
            ),
            ("OPENRIDE_STACK_POSTGRES_PORT", self.ports.postgres),
            ("OPENRIDE_STACK_REDIS_PORT", self.ports.redis),
        ] {
            command.env(variable, port.to_string());
        }
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.devstack(arguments).output().unwrap()
    }

    pub(crate) fn spawn(&mut self) {
        let log = fs::File::create(self.path().join("supervisor.log")).unwrap();
        let child = self
            .devstack(&["run", "--servers-only"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running = Some(child);
    }

    pub(crate) fn start(&mut self) {
        self.spawn();
        let mut child = self.running.take().unwrap();
        eventually("the stack is up", || {
            if let Some(status) = child.try_wait().unwrap() {
                let log = fs::read_to_string(self.path().join("supervisor.log")).unwrap();
                panic!("the supervisor ended ({status}): {log}");
            }
            supervisor::ask(self.path(), &["status"]).is_ok()
        });
        self.running = Some(child);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.running.as_ref().unwrap().id();
        kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the supervisor to end, then sees that nothing is left of it.
    pub(crate) fn expect_nothing_left(&mut self) -> i32 {
        let status = self.running.as_mut().unwrap().wait().unwrap();
        eventually("no process is left", || {
            processes::of_stack(self.path()).is_empty()
        });
        assert_eq!(supervisor::holder(self.path()), None);
        status.code().unwrap_or(-1)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
