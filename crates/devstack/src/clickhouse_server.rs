//! Runs the ClickHouse engine of `libchdb.so` as a server in this process.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

/// Opens the listeners, then keeps the engine in a query that never ends.
const SERVE: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
     SELECT sleepEachRow(3) FROM system.numbers SETTINGS max_block_size = 1 FORMAT Null";

/// Why the engine did not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The library cannot be loaded or lacks the entry point.
    #[error("cannot load the ClickHouse engine: {0}")]
    Library(#[from] libloading::Error),
    /// A path cannot be passed to the engine.
    #[error("a path contains a NUL byte")]
    Path(#[from] std::ffi::NulError),
    /// The engine gave back control, which it does only when it failed or was asked to end.
    #[error("the ClickHouse engine ended; its log and the lines above say why")]
    Ended,
}

/// Serves until the process is signalled.
///
/// # Errors
/// When the engine cannot be loaded, or ends.
pub fn serve(library: &Path, config: &Path, data: &Path) -> Result<(), ServeError> {
    let mut config_file = b"--config-file=".to_vec();
    config_file.extend_from_slice(config.as_os_str().as_bytes());
    let mut path = b"--path=".to_vec();
    path.extend_from_slice(data.as_os_str().as_bytes());
    let arguments = [
        CString::new("clickhouse")?,
        CString::new(config_file)?,
        CString::new(path)?,
        CString::new("--multiquery")?,
        CString::new(format!("--query={SERVE}"))?,
    ];
    run_engine(library, &arguments)?;
    Err(ServeError::Ended)
}

#[expect(
    unsafe_code,
    reason = "the engine is a C library that is loaded at run time"
)]
fn run_engine(library: &Path, arguments: &[CString]) -> Result<(), libloading::Error> {
    type QueryCommandLine = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
    let mut pointers: Vec<*mut c_char> = arguments
        .iter()
        .map(|argument| argument.as_ptr().cast_mut())
        .collect();
    let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
    // SAFETY: the library is the pinned chdb build, whose initialisers run before anything else of
    // this process uses threads or signals. `chdb_query_cmdline` has this signature in its header
    // and reads `count` NUL-terminated strings, which outlive the call. Its result is not touched:
    // the process ends with it.
    unsafe {
        let engine = libloading::Library::new(library)?;
        let run: libloading::Symbol<'_, QueryCommandLine> = engine.get(b"chdb_query_cmdline\0")?;
        run(count, pointers.as_mut_ptr());
    }
    Ok(())
}
