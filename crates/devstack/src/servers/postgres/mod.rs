//! PostgreSQL from the system's package, never the system's cluster.

mod cluster;
mod user;

use std::{fs, path::PathBuf, process::Command, time::Duration};

use cluster::Cluster;
use nix::sys::signal::Signal;
pub(super) use user::remove_outside_data;

use super::{Definition, Site, write_config};
use crate::{
    command,
    endpoints::{POSTGRES_DATABASE, POSTGRES_USER},
    error::Result,
    ports::{PortUse, Ports},
    process::Launch,
    server::Server,
};

pub(super) struct Postgres;

const SETTINGS: &str = include_str!("../../../config/postgresql.conf");
const HINT: &str = "install it with: apt-get install postgresql";

impl Definition for Postgres {
    fn ports(&self, ports: &Ports) -> Vec<PortUse> {
        ports.postgres_uses()
    }

    fn prepare(&self, site: &Site) -> Result<Launch> {
        let cluster = Cluster::locate(site)?;
        cluster.initialise_once(site)?;
        cluster.remove_stale_lock()?;
        let settings = cluster.data.with_file_name("postgresql.conf");
        write_config(
            &settings,
            &SETTINGS.replace("@PORT@", &site.ports.postgres.to_string()),
        )?;
        Ok(Launch {
            name: Server::Postgres.to_string(),
            program: program("postgres")?,
            arguments: vec![
                "-D".into(),
                cluster.data.clone().into(),
                "-c".into(),
                format!("config_file={}", settings.display()).into(),
            ],
            environment: Vec::new(),
            user: user::unprivileged(),
            working_directory: cluster.data,
            log: site.log(Server::Postgres.name())?,
        })
    }

    fn probe(&self, site: &Site) -> Result<(), String> {
        let ready = program("pg_isready").map_err(|error| error.to_string())?;
        let mut ask = Command::new(ready);
        ask.args(["-h", "127.0.0.1", "-t", "2", "-p"])
            .arg(site.ports.postgres.to_string());
        site.helpers
            .run("asking PostgreSQL", None, &ask)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// Backends outlive a killed postmaster for a moment and hold its shared memory.
    fn may_end_early(&self) -> bool {
        true
    }

    /// SIGTERM would wait for every client to go.
    fn end(&self) -> (Signal, Duration) {
        (Signal::SIGINT, Duration::from_secs(20))
    }

    fn furnish(&self, site: &Site) -> Result<()> {
        let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{POSTGRES_DATABASE}'");
        if psql(site, &exists)?.trim() != "1" {
            psql(site, &format!("CREATE DATABASE {POSTGRES_DATABASE}"))?;
        }
        Ok(())
    }
}

fn psql(site: &Site, statement: &str) -> Result<String> {
    let mut psql = Command::new(program("psql")?);
    psql.args(["--no-psqlrc", "--tuples-only", "--no-align"])
        .args([
            "-h",
            "127.0.0.1",
            "-U",
            POSTGRES_USER,
            "-d",
            "postgres",
            "-p",
        ])
        .arg(site.ports.postgres.to_string())
        .args(["-c", statement]);
    site.helpers.run("preparing PostgreSQL", None, &psql)
}

fn program(name: &str) -> Result<PathBuf> {
    command::find_program(name, &debian_directories(), HINT)
}

/// Debian keeps the server's programs out of `PATH`, in one directory per version; newest first.
fn debian_directories() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions
        .into_iter()
        .map(|(_, directory)| directory)
        .collect()
}
