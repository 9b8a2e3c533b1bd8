//! `devstack test -- command`: runs a command beside a test stack of its own.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, ExitStatus},
    sync::Arc,
    thread,
};

use nix::sys::signal::Signal;

use crate::{
    config::StackConfig,
    error::{FileContext as _, Result, StackError},
    forker,
    interrupt::Interrupt,
    launcher::{self, LAUNCHER_VARIABLE},
    process::POLL,
    progress::{Progress as _, Terminal},
    signals,
    stack::PrivateStack,
    test_stack::{TEST_STACK_VARIABLE, write_description},
    tree,
};

/// Starts a stack on free ports in a temporary directory, runs the command with
/// `OPENRIDE_TEST_STACK` set, stops the stack, and returns the command's exit code.
///
/// # Errors
/// When the stack or the command cannot be started.
pub fn with_test_stack(program: &OsString, arguments: &[OsString]) -> Result<u8> {
    let interrupt = Interrupt::default();
    let stack = PrivateStack::start(StackConfig {
        progress: Arc::new(Terminal),
        interrupt: interrupt.clone(),
        ..StackConfig::default()
    })?;
    let description = stack.directory().join("endpoints.json");
    write_description(&description, stack.endpoints())?;
    signals::raise_on_signal(interrupt.clone()).on("listen to signals in", stack.directory())?;
    let child = spawn(program, arguments, &description)?;
    let status = wait(child, &interrupt).on("wait for", Path::new(program))?;
    Terminal.note("stopping the test stack");
    stack.stop_all()?;
    Ok(exit_code(status))
}

fn spawn(program: &OsString, arguments: &[OsString], description: &Path) -> Result<Child> {
    let launcher = launcher::find_launcher()?;
    // In the terminal's foreground group, so that Ctrl-C reaches the command as it would alone.
    let mut command = launcher::launched(&launcher, None, Path::new(program), arguments);
    command
        .env(TEST_STACK_VARIABLE, description)
        .env(LAUNCHER_VARIABLE, &launcher);
    forker::spawn(command).map_err(|source| StackError::Spawn {
        program: program.to_string_lossy().into_owned(),
        source,
    })
}

fn wait(mut child: Child, interrupt: &Interrupt) -> std::io::Result<ExitStatus> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupt.is_raised() && !told {
            told = true;
            // Test programs are grandchildren: they would outlive a cargo that is told to end.
            tree::signal_all(child.id(), Signal::SIGTERM);
        }
        thread::sleep(POLL);
    }
}

/// As a shell reports it: 128 and the signal for a command that was killed.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
