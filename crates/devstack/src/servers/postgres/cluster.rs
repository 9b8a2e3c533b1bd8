//! The data directory: where it lies, how it comes to be, what a crash leaves in it.

use std::{fs, path::PathBuf, process::Command};

use super::{program, user};
use crate::{
    endpoints::POSTGRES_USER,
    error::{FileContext as _, Result},
    server::Server,
    servers::Site,
    tree,
};

pub(super) struct Cluster {
    pub(super) data: PathBuf,
}

impl Cluster {
    pub(super) fn locate(site: &Site) -> Result<Self> {
        let inside = site.server_directory(Server::Postgres)?;
        let parent = if user::unprivileged().is_none() || user::open_to_others(&inside) {
            inside
        } else {
            user::outside_directory(&site.directory)
        };
        fs::create_dir_all(&parent).on("create", &parent)?;
        Ok(Self {
            data: parent.join("data"),
        })
    }

    /// `initdb` cleans up after itself when it fails, but not when it is killed: its work gets the
    /// final name only when it is whole.
    pub(super) fn initialise_once(&self, site: &Site) -> Result<()> {
        if self.data.is_dir() {
            return Ok(());
        }
        let unfinished = self.data.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).on("remove", &unfinished)?;
        }
        fs::create_dir(&unfinished).on("create", &unfinished)?;
        user::give_to_unprivileged(&unfinished)?;
        let mut initdb = Command::new(program("initdb")?);
        initdb
            .arg("-D")
            .arg(&unfinished)
            .arg(format!("--username={POSTGRES_USER}"))
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
            ])
            .current_dir(&unfinished);
        let purpose = "creating the PostgreSQL cluster";
        site.helpers.run(purpose, user::unprivileged(), &initdb)?;
        fs::rename(&unfinished, &self.data).on("create", &self.data)
    }

    /// A lock of a postmaster that was killed names a process id that may be somebody else's by
    /// now, which PostgreSQL takes for its own and refuses to start. It is stale for certain when
    /// no process works in the directory: neither a postmaster nor a backend that survived one.
    pub(super) fn remove_stale_lock(&self) -> Result<()> {
        let lock = self.data.join("postmaster.pid");
        if !lock.exists() || tree::somebody_works_in(&self.data) {
            return Ok(());
        }
        fs::remove_file(&lock).on("remove", &lock)
    }
}
