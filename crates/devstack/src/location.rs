//! Where the stack of this checkout keeps its things.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::error::{FileContext as _, Result};

/// Names another directory for the stack.
pub const DIRECTORY_VARIABLE: &str = "OPENRIDE_STACK_DIR";

/// The directory that `OPENRIDE_STACK_DIR` names, else `.stack` at the top of the checkout that the
/// current directory is in.
///
/// # Errors
/// When the current directory is gone.
pub fn stack_directory() -> Result<PathBuf> {
    let here = env::current_dir().on("resolve", Path::new("."))?;
    if let Some(given) = env::var_os(DIRECTORY_VARIABLE) {
        return Ok(here.join(given));
    }
    let checkout = here
        .ancestors()
        .find(|directory| directory.join("crates/devstack").is_dir())
        .unwrap_or(&here);
    Ok(checkout.join(".stack"))
}
