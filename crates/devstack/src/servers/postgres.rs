//! PostgreSQL from the system's package, never the system's cluster.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{Uid, User};

use super::{Definition, Site, write_config};
use crate::{
    command,
    endpoints::{POSTGRES_DATABASE, POSTGRES_USER},
    error::{FileContext as _, Result},
    launcher,
    ports::{PortUse, Ports},
    process::Launch,
    server::Server,
};

pub(super) struct Postgres;

const SETTINGS: &str = include_str!("../../config/postgresql.conf");
const HINT: &str = "install it with: apt-get install postgresql";
/// PostgreSQL refuses to run as root; Debian's package brings this user.
const UNPRIVILEGED_USER: &str = "postgres";
/// Where root's data goes when the checkout lies in a directory closed to that user.
const OUTSIDE: &str = "/var/lib/openride-devstack";

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
            user: unprivileged_user(),
            working_directory: cluster.data,
            log: site.log(Server::Postgres.name())?,
        })
    }

    fn probe(&self, site: &Site) -> Result<(), String> {
        let ready = program("pg_isready").map_err(|error| error.to_string())?;
        let mut ask = Command::new(ready);
        ask.args(["-h", "127.0.0.1", "-t", "2", "-p"])
            .arg(site.ports.postgres.to_string());
        command::run_to_end("asking PostgreSQL", ask)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// Backends outlive a killed postmaster for a moment and hold its shared memory.
    fn may_end_early(&self) -> bool {
        true
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
    command::run_to_end("preparing PostgreSQL", psql)
}

struct Cluster {
    data: PathBuf,
}

impl Cluster {
    fn locate(site: &Site) -> Result<Self> {
        let inside = site.server_directory(Server::Postgres)?;
        let parent = if unprivileged_user().is_none() || open_to_others(&inside) {
            inside
        } else {
            outside_directory(&site.directory)
        };
        fs::create_dir_all(&parent).on("create", &parent)?;
        Ok(Self {
            data: parent.join("data"),
        })
    }

    /// `initdb` cleans up after itself when it fails, but not when it is killed: its work gets the
    /// final name only when it is whole.
    fn initialise_once(&self, site: &Site) -> Result<()> {
        if self.data.is_dir() {
            return Ok(());
        }
        let unfinished = self.data.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).on("remove", &unfinished)?;
        }
        fs::create_dir(&unfinished).on("create", &unfinished)?;
        give_to_unprivileged_user(&unfinished)?;
        let arguments = [
            "-D".into(),
            unfinished.clone().into(),
            format!("--username={POSTGRES_USER}").into(),
            "--auth=trust".into(),
            "--encoding=UTF8".into(),
            "--locale=C.UTF-8".into(),
            "--no-instructions".into(),
        ];
        let mut initdb = launcher::launched(
            &site.launcher,
            unprivileged_user(),
            &program("initdb")?,
            &arguments,
        );
        initdb.current_dir(&unfinished);
        command::run_to_end("creating the PostgreSQL cluster", initdb)?;
        fs::rename(&unfinished, &self.data).on("create", &self.data)
    }

    /// A lock of a postmaster that was killed names a process id that may be somebody else's by
    /// now, which PostgreSQL takes for its own and refuses to start.
    fn remove_stale_lock(&self) -> Result<()> {
        let lock = self.data.join("postmaster.pid");
        let Ok(content) = fs::read_to_string(&lock) else {
            return Ok(());
        };
        let holder = content
            .lines()
            .next()
            .and_then(|line| line.trim().parse().ok());
        if holder.is_some_and(|pid| is_postmaster_of(pid, &self.data)) {
            return Ok(());
        }
        fs::remove_file(&lock).on("remove", &lock)
    }
}

fn is_postmaster_of(pid: i32, data: &Path) -> bool {
    procfs::process::Process::new(pid)
        .and_then(|process| process.cmdline())
        .is_ok_and(|words| words.iter().any(|word| Path::new(word) == data))
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

fn unprivileged_user() -> Option<&'static str> {
    Uid::effective().is_root().then_some(UNPRIVILEGED_USER)
}

fn give_to_unprivileged_user(directory: &Path) -> Result<()> {
    let Some(name) = unprivileged_user() else {
        return Ok(());
    };
    let user = User::from_name(name)
        .map_err(std::io::Error::from)
        .and_then(|user| user.ok_or_else(|| std::io::Error::other("there is no user `postgres`")))
        .on("give to the user `postgres`", directory)?;
    chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
        .on("give to the user `postgres`", directory)
}

/// Whether another user can walk into the directory.
fn open_to_others(directory: &Path) -> bool {
    directory.ancestors().all(|ancestor| {
        ancestor
            .metadata()
            .is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
    })
}

fn outside_directory(stack_directory: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    stack_directory.hash(&mut hasher);
    Path::new(OUTSIDE).join(format!("{:016x}", hasher.finish()))
}

/// Removes the cluster that lies outside the stack's directory, if it does.
pub(super) fn remove_outside_data(stack_directory: &Path) -> Result<()> {
    let outside = outside_directory(stack_directory);
    if outside
        .metadata()
        .is_ok_and(|meta| meta.uid() == Uid::effective().as_raw())
    {
        fs::remove_dir_all(&outside).on("remove", &outside)?;
    }
    Ok(())
}
