//! How each server is laid out on disk, started and asked whether it serves.

mod clickhouse;
mod kafka;
mod postgres;
mod redis;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;

use crate::{
    cache::Cache,
    command::Helpers,
    error::{FileContext as _, Result},
    ports::{PortUse, Ports},
    process::Launch,
    progress::Progress,
    server::Server,
};

/// Where one stack keeps its things and which ports it has.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub directory: PathBuf,
    pub ports: Ports,
    pub cache: Cache,
    pub helpers: Helpers,
}

impl Site {
    /// The server's own directory, created if need be.
    fn server_directory(&self, server: Server) -> Result<PathBuf> {
        let directory = self.directory.join(server.name());
        fs::create_dir_all(&directory).on("create", &directory)?;
        Ok(directory)
    }

    /// The log of the named process, in a directory that exists.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf> {
        let logs = self.directory.join("logs");
        fs::create_dir_all(&logs).on("create", &logs)?;
        Ok(logs.join(format!("{name}.log")))
    }
}

/// What the stack has to know about a kind of server.
pub(crate) trait Definition: Sync {
    /// The ports it listens on.
    fn ports(&self, ports: &Ports) -> Vec<PortUse>;

    /// Fetches what is missing on this machine.
    fn fetch(&self, _site: &Site, _progress: &dyn Progress) -> Result<()> {
        Ok(())
    }

    /// Writes its configuration and, once, its empty data; says how to start it.
    fn prepare(&self, site: &Site) -> Result<Launch>;

    /// Asks it once whether it serves; the text says why not.
    fn probe(&self, site: &Site) -> Result<(), String>;

    /// Whether a start that ends early is worth another try: something of the last run that only
    /// time clears may be in the way.
    fn may_end_early(&self) -> bool {
        false
    }

    /// Makes what the services expect to find in a server that serves.
    fn furnish(&self, _site: &Site) -> Result<()> {
        Ok(())
    }

    /// The signal that ends it in good order, and how long that may take before it is killed.
    fn end(&self) -> (Signal, Duration) {
        (Signal::SIGTERM, Duration::from_secs(20))
    }
}

/// The definition of the server.
pub(crate) fn definition(server: Server) -> &'static dyn Definition {
    match server {
        Server::Kafka => &kafka::Kafka,
        Server::ClickHouse => &clickhouse::ClickHouse,
        Server::Postgres => &postgres::Postgres,
        Server::Redis => &redis::Redis,
    }
}

/// Writes the file unless it already has this content.
fn write_config(path: &Path, content: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::write(path, content).on("write", path)
}

/// Removes directories that a stack may have laid outside its own.
pub(crate) fn remove_outside_data(stack_directory: &Path) -> Result<()> {
    postgres::remove_outside_data(stack_directory)
}
