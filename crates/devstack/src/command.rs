//! Helper programs that run to their end: looking them up, running them, keeping their output.

use std::{
    env, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
};

use nix::sys::signal::Signal;

use crate::{
    error::{Result, StackError},
    forker,
    interrupt::Interrupt,
    launcher,
    process::POLL,
    tree,
};

/// Runs helper programs so that none outlives this process or holds up a stop.
#[derive(Debug, Clone)]
pub(crate) struct Helpers {
    pub launcher: PathBuf,
    pub interrupt: Interrupt,
}

impl Helpers {
    /// Runs the command with no input, as the given user, and returns its standard output. Arguments
    /// and working directory of the command count, not its environment.
    pub(crate) fn run(
        &self,
        purpose: &'static str,
        user: Option<&str>,
        command: &Command,
    ) -> Result<String> {
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let program = Path::new(command.get_program());
        let mut launched = launcher::launched(&self.launcher, user, program, &arguments);
        if let Some(directory) = command.get_current_dir() {
            launched.current_dir(directory);
        }
        // A group of its own: Ctrl-C reaches the supervisor, which ends the helper.
        launched.process_group(0);
        let child = spawn(launched)?;
        let output = self.wait(child, program)?;
        evaluate(purpose, command, &output)
    }

    fn wait(&self, child: Child, program: &Path) -> Result<Output> {
        let pid = child.id();
        let (done, outcome) = mpsc::channel();
        thread::spawn(move || done.send(child.wait_with_output()));
        loop {
            match outcome.recv_timeout(POLL) {
                Ok(output) => return output.map_err(|source| spawn_error(program, source)),
                Err(_) if self.interrupt.is_raised() => {
                    tree::signal_all(pid, Signal::SIGKILL);
                    return Err(StackError::Interrupted);
                }
                Err(_) => {}
            }
        }
    }
}

fn spawn(mut command: Command) -> Result<Child> {
    let program = PathBuf::from(command.get_program());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    forker::spawn(command).map_err(|source| spawn_error(&program, source))
}

fn spawn_error(program: &Path, source: io::Error) -> StackError {
    StackError::Spawn {
        program: program.display().to_string(),
        source,
    }
}

fn evaluate(purpose: &'static str, command: &Command, output: &Output) -> Result<String> {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(StackError::CommandFailed {
        purpose,
        command: command_line(command),
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
