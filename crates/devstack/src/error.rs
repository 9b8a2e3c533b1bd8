//! What can go wrong while the stack is built, started or stopped.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

use crate::{ports::PortsTaken, server::Server};

/// Result of a stack operation.
pub type Result<T, E = StackError> = std::result::Result<T, E>;

/// Why a stack operation failed, in words meant for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A file or directory of the stack could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A program that the stack needs is not on this machine.
    #[error("`{program}` was not found; {hint}")]
    MissingProgram {
        /// The name that was looked for.
        program: String,
        /// How to install it.
        hint: &'static str,
    },
    /// A helper program ended with an error.
    #[error("{purpose} failed ({status}): `{command}`\n{output}")]
    CommandFailed {
        /// What the program was to do.
        purpose: &'static str,
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote.
        output: String,
    },
    /// A process could not be started at all.
    #[error("cannot start `{program}`: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// The cause.
        source: io::Error,
    },
    /// Ports that the stack needs belong to somebody else.
    #[error(transparent)]
    PortsTaken(#[from] PortsTaken),
    /// A process ended while the stack waited for it to answer.
    #[error("{name} ended while starting ({status}); its log ends with:\n{log_tail}")]
    EndedEarly {
        /// The process.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines it logged.
        log_tail: String,
    },
    /// A process runs but did not answer in time.
    #[error(
        "{name} did not answer within {} s (last try: {last}); its log ends with:\n{log_tail}",
        waited.as_secs()
    )]
    NotReady {
        /// The process.
        name: String,
        /// How long it was given.
        waited: Duration,
        /// What the last question came to.
        last: String,
        /// The last lines it logged.
        log_tail: String,
    },
    /// A process survived SIGKILL, which only a hung kernel call explains.
    #[error("{name} (pid {pid}) does not end")]
    WillNotEnd {
        /// The process.
        name: String,
        /// Its process id.
        pid: u32,
    },
    /// A signal could not be sent.
    #[error("cannot signal {name} (pid {pid}): {source}")]
    Signal {
        /// The process.
        name: String,
        /// Its process id.
        pid: u32,
        /// The cause.
        source: nix::Error,
    },
    /// The server was left out of this stack, or is stopped.
    #[error("{0} is not running in this stack")]
    NotRunning(Server),
    /// The start was given up because somebody asked for a stop.
    #[error("the start was interrupted")]
    Interrupted,
    /// Another supervisor owns the directory.
    #[error("a stack already runs in {} (pid {pid}); `make stop` ends it", dir.display())]
    AlreadyRunning {
        /// The stack's directory.
        dir: PathBuf,
        /// The supervisor, as far as it has written its id.
        pid: String,
    },
    /// A download is not what was asked for.
    #[error("the download of {what} is not usable: {reason}")]
    BadDownload {
        /// The thing downloaded.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// No engine is published for this kind of machine.
    #[error("the local ClickHouse engine is published for 64-bit x86 Linux only, this is {0}")]
    UnsupportedMachine(&'static str),
    /// A port setting does not hold a port number.
    #[error("{variable}={value} is not a port number (1 to 65535)")]
    BadPort {
        /// The environment variable.
        variable: &'static str,
        /// What it holds.
        value: String,
    },
    /// The machine has no free port left in the range that tests use.
    #[error("no free port was found between {first} and {last}")]
    NoFreePort {
        /// Start of the range.
        first: u16,
        /// End of the range.
        last: u16,
    },
    /// The description of a test stack cannot be read.
    #[error("{} does not describe a test stack: {source}", path.display())]
    BadDescription {
        /// The file that `OPENRIDE_TEST_STACK` names.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// PostgreSQL refused an administrative statement.
    #[error("PostgreSQL refused `{statement}`: {source}")]
    Postgres {
        /// The statement.
        statement: String,
        /// The cause.
        source: tokio_postgres::Error,
    },
}

/// Attaches the path and the verb to an I/O error.
pub(crate) trait FileContext<T> {
    fn on(self, action: &'static str, path: &std::path::Path) -> Result<T>;
}

impl<T> FileContext<T> for io::Result<T> {
    fn on(self, action: &'static str, path: &std::path::Path) -> Result<T> {
        self.map_err(|source| StackError::File {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
