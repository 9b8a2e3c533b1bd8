//! Programs in Python that try the API.

use std::path::{Path, PathBuf};

/// The Python that has the tools, downloaded before.
pub(crate) async fn tools() -> &'static Path {
    tokio::task::spawn_blocking(devstack::python_tools)
        .await
        .unwrap()
}

/// A file of the tests in Python.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/python")
        .join(name)
}
