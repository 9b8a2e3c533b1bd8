//! Helper programs that run to their end: looking them up, running them, keeping their output.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    error::{Result, StackError},
    forker,
};

/// Runs the command with no input and returns what it wrote to its standard output.
pub(crate) fn run_to_end(purpose: &'static str, mut command: Command) -> Result<String> {
    let line = command_line(&command);
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let spawn_error = |source| StackError::Spawn { program, source };
    let output = forker::spawn(command)
        .and_then(std::process::Child::wait_with_output)
        .map_err(spawn_error)?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(StackError::CommandFailed {
        purpose,
        command: line,
        status: output.status,
        output: format!("{stdout}{stderr}").trim_end().to_owned(),
    })
}

/// Finds the program in the given directories, then in `PATH`.
pub(crate) fn find_program(
    name: &str,
    directories: &[PathBuf],
    hint: &'static str,
) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    directories
        .iter()
        .cloned()
        .chain(env::split_paths(&path))
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
        .ok_or_else(|| StackError::MissingProgram {
            program: name.to_owned(),
            hint,
        })
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn command_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
