//! Downloads, kept outside the checkout and shared by all checkouts of a user.
//!
//! An entry appears under its final name by one rename, so it is whole or absent; a download that
//! was killed leaves a `.partial-…` directory, which the next one removes.

mod chdb;
mod kafka_jars;
mod python_tools;

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

pub use self::python_tools::python_tools;
use crate::{
    command::Helpers,
    error::{FileContext as _, Result},
    progress::Progress,
};

/// The download cache: `$XDG_CACHE_HOME/openride-devstack`, else `~/.cache/openride-devstack`.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    directory: PathBuf,
    helpers: Helpers,
}

impl Cache {
    pub(crate) fn of_this_user(helpers: Helpers) -> Self {
        let base = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| env::home_dir().map(|home| home.join(".cache")))
            .unwrap_or_else(env::temp_dir);
        Self {
            directory: base.join("openride-devstack"),
            helpers,
        }
    }

    #[cfg(test)]
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            helpers: Helpers {
                launcher: "devstack".into(),
                interrupt: crate::Interrupt::default(),
            },
        }
    }

    /// The entry of that name; `fill` makes its content in an empty directory if it is not there.
    fn entry(
        &self,
        name: &str,
        progress: &dyn Progress,
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let entry = self.directory.join(name);
        if entry.is_dir() {
            return Ok(entry);
        }
        fs::create_dir_all(&self.directory).on("create", &self.directory)?;
        let _turn = self.wait_for_turn(name, progress)?;
        if entry.is_dir() {
            return Ok(entry);
        }
        let prefix = format!(".partial-{name}-");
        self.remove_leftovers(&prefix);
        let partial = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&self.directory)
            .on("create a directory in", &self.directory)?;
        fill(partial.path())?;
        fs::rename(partial.path(), &entry).on("create", &entry)?;
        // The directory has its final name now; nothing is left to remove.
        let _ = partial.keep();
        Ok(entry)
    }

    /// One download of a thing at a time; the lock is the kernel's and dies with its holder.
    fn wait_for_turn(&self, name: &str, progress: &dyn Progress) -> Result<File> {
        let path = self.directory.join(format!(".lock-{name}"));
        let lock = File::create(&path).on("create", &path)?;
        if lock.try_lock().is_err() {
            progress.note(&format!("waiting for another download of {name}"));
            lock.lock().on("lock", &path)?;
        }
        Ok(lock)
    }

    fn remove_leftovers(&self, prefix: &str) {
        for leftover in fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            if leftover.file_name().to_string_lossy().starts_with(prefix) {
                let _ = fs::remove_dir_all(leftover.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::StackError, progress::Silent};

    #[test]
    fn a_failed_download_leaves_no_entry_and_the_next_one_succeeds() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::in_directory(directory.path());
        let failed = cache.entry("thing-1", &Silent, |partial| {
            fs::write(partial.join("half"), "…").unwrap();
            Err(StackError::Interrupted)
        });
        assert!(failed.is_err());
        assert!(!directory.path().join("thing-1").exists());

        let entry = cache
            .entry("thing-1", &Silent, |partial| {
                fs::write(partial.join("whole"), "content").on("write", partial)
            })
            .unwrap();
        assert_eq!(fs::read_to_string(entry.join("whole")).unwrap(), "content");
        assert!(!entry.join("half").exists());
    }

    #[test]
    fn what_a_killed_download_left_is_removed_by_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let leftover = directory.path().join(".partial-thing-1-x");
        fs::create_dir(&leftover).unwrap();
        let cache = Cache::in_directory(directory.path());
        cache.entry("thing-1", &Silent, |_| Ok(())).unwrap();
        assert!(!leftover.exists());
    }

    #[test]
    fn a_cached_entry_is_not_downloaded_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::in_directory(directory.path());
        cache.entry("thing-1", &Silent, |_| Ok(())).unwrap();
        cache
            .entry("thing-1", &Silent, |_| Err(StackError::Interrupted))
            .unwrap();
    }
}
