//! The directory of one stack and the lock that makes it one supervisor's.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    error::{FileContext as _, Result, StackError},
    process::wait_until,
    servers,
};

const TEMPORARY_PREFIX: &str = "openride-stack-";
const LOCK: &str = "lock";
/// Longer than any question whether the lock is held.
const ASKING: Duration = Duration::from_millis(300);

/// A stack's directory, held by this process. The lock is the kernel's: it ends with the process,
/// however that ends, so it is never stale.
#[derive(Debug)]
pub(crate) struct StackDirectory {
    path: PathBuf,
    temporary: bool,
    _lock: File,
}

impl StackDirectory {
    /// Takes the directory, creating it if need be.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).on("create", path)?;
        let path = path.canonicalize().on("resolve", path)?;
        let lock = lock(&path)?;
        Ok(Self {
            path,
            temporary: false,
            _lock: lock,
        })
    }

    /// Takes the directory if it is there.
    pub(crate) fn take_existing(path: &Path) -> Result<Option<Self>> {
        path.is_dir().then(|| Self::take(path)).transpose()
    }

    /// Makes a directory that is removed with the stack, and removes those of stacks that were
    /// killed and could not do so themselves.
    pub(crate) fn temporary() -> Result<Self> {
        let parent = std::env::temp_dir();
        remove_abandoned(&parent);
        let path = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempdir_in(&parent)
            .on("create a directory in", &parent)?
            .keep();
        // Open to PostgreSQL's user; the data directories themselves are closed.
        fs::set_permissions(&path, Permissions::from_mode(0o755)).on("open", &path)?;
        // The lock appears locked: one that lies open is of the dead, and its directory goes.
        let unseen = path.join("lock.new");
        let lock = hold(&unseen)?.ok_or_else(|| StackError::AlreadyRunning {
            dir: path.clone(),
            pid: holder_text(&unseen),
        })?;
        fs::rename(&unseen, path.join(LOCK)).on("rename", &unseen)?;
        Ok(Self {
            path,
            temporary: true,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StackDirectory {
    fn drop(&mut self) {
        if self.temporary {
            let _ = servers::remove_outside_data(&self.path);
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn lock(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK);
    hold(&path)?.ok_or_else(|| StackError::AlreadyRunning {
        dir: directory.to_owned(),
        pid: holder_text(&path),
    })
}

/// Locks the file for this process, or finds it locked by another.
fn hold(path: &Path) -> Result<Option<File>> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .on("open", path)?;
    // Whoever only asks whether it is held, holds it for an instant.
    if !wait_until(ASKING, || file.try_lock().is_ok()) {
        return Ok(None);
    }
    file.set_len(0).on("write", path)?;
    write!(file, "{}", std::process::id()).on("write", path)?;
    Ok(Some(file))
}

fn holder_text(lock: &Path) -> String {
    match fs::read_to_string(lock) {
        Ok(text) if !text.is_empty() => text,
        _ => "unknown".to_owned(),
    }
}

/// The process that holds the stack's directory, if one does.
#[must_use]
pub fn holder(directory: &Path) -> Option<u32> {
    if !is_held(directory) {
        return None;
    }
    holder_text(&directory.join(LOCK)).parse().ok()
}

/// Whether a process holds the directory. Shared, so that those who ask do not find each other.
fn is_held(directory: &Path) -> bool {
    File::open(directory.join(LOCK)).is_ok_and(|file| file.try_lock_shared().is_err())
}

fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX);
        if ours && path.join(LOCK).exists() && !is_held(&path) {
            let _ = servers::remove_outside_data(&path);
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_holder_and_is_free_once_that_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let held = StackDirectory::take(parent.path()).unwrap();
        assert_eq!(holder(parent.path()), Some(std::process::id()));
        let refused = StackDirectory::take(parent.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(held);
        assert_eq!(holder(parent.path()), None);
        StackDirectory::take(parent.path()).unwrap();
    }

    #[test]
    fn abandoned_directories_go_and_held_ones_stay() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("openride-stack-dead");
        let alive = parent.path().join("openride-stack-alive");
        let foreign = parent.path().join("something-else");
        for directory in [&dead, &foreign] {
            drop(StackDirectory::take(directory).unwrap());
        }
        let _held = StackDirectory::take(&alive).unwrap();
        remove_abandoned(parent.path());
        assert!(!dead.exists());
        assert!(alive.exists() && foreign.exists());
    }

    #[test]
    fn temporary_directories_made_at_the_same_time_do_not_remove_each_other() {
        let makers: Vec<_> = (0..16)
            .map(|_| std::thread::spawn(|| StackDirectory::temporary().unwrap()))
            .collect();
        for made in makers.into_iter().map(|maker| maker.join().unwrap()) {
            assert!(made.path().join(LOCK).exists());
        }
    }
}
