//! PostgreSQL does not run as root: who runs it then, and where that user can reach.

use std::{
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _, chown},
    },
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User};
use sha2::{Digest as _, Sha256};

use crate::error::{FileContext as _, Result};

/// Debian's package brings this user.
const UNPRIVILEGED_USER: &str = "postgres";
/// Where root's data goes when the checkout lies in a directory closed to that user.
const OUTSIDE: &str = "/var/lib/openride-devstack";

/// The user that PostgreSQL is started as, if the present one is root.
pub(super) fn unprivileged() -> Option<&'static str> {
    Uid::effective().is_root().then_some(UNPRIVILEGED_USER)
}

pub(super) fn give_to_unprivileged(directory: &Path) -> Result<()> {
    let Some(name) = unprivileged() else {
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
pub(super) fn open_to_others(directory: &Path) -> bool {
    directory.ancestors().all(|ancestor| {
        ancestor
            .metadata()
            .is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
    })
}

/// Root's place for the cluster of a stack whose directory is closed to that user.
pub(super) fn outside_directory(stack_directory: &Path) -> PathBuf {
    let digest = Sha256::digest(stack_directory.as_os_str().as_bytes());
    let name: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Path::new(OUTSIDE).join(name)
}

/// Removes the cluster that lies outside the stack's directory, if it does.
pub(in crate::servers) fn remove_outside_data(stack_directory: &Path) -> Result<()> {
    let outside = outside_directory(stack_directory);
    if outside
        .metadata()
        .is_ok_and(|meta| meta.uid() == Uid::effective().as_raw())
    {
        fs::remove_dir_all(&outside).on("remove", &outside)?;
        // Stays, and may stay, while other checkouts have their data there.
        let _ = fs::remove_dir(OUTSIDE);
    }
    Ok(())
}
