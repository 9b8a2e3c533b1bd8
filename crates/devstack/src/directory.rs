//! The directory of one stack and the lock that makes it one supervisor's.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{
    error::{FileContext as _, Result, StackError},
    servers,
};

const TEMPORARY_PREFIX: &str = "openride-stack-";
const LOCK: &str = "lock";

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
        let lock = lock(&path)?;
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
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .on("open", &path)?;
    if file.try_lock().is_err() {
        return Err(StackError::AlreadyRunning {
            dir: directory.to_owned(),
            pid: holder_text(&path),
        });
    }
    file.set_len(0).on("write", &path)?;
    write!(file, "{}", std::process::id()).on("write", &path)?;
    Ok(file)
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
    let path = directory.join(LOCK);
    let file = File::open(&path).ok()?;
    if file.try_lock().is_ok() {
        return None;
    }
    holder_text(&path).parse().ok()
}

fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX);
        if ours && path.join(LOCK).exists() && holder(&path).is_none() {
            let _ = servers::remove_outside_data(&path);
            let _ = fs::remove_dir_all(&path);
        }
    }
}
