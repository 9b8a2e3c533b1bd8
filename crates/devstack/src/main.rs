//! The `devstack` command.

mod arguments;

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{self, ExitCode},
};

use anyhow::{Context as _, bail};
use arguments::{Arguments, Command};
use clap::Parser as _;
use devstack::{
    clickhouse_server, launcher, location,
    supervisor::{self, RunOptions},
    with_test_stack,
};

/// What `systemctl status` answers for a service that does not run.
const NOT_RUNNING: u8 = 3;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("devstack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let directory = location::stack_directory()?;
    match command {
        Command::Run { servers_only, rate } => supervisor::run(&RunOptions {
            directory,
            servers_only,
            rate,
        })?,
        Command::Stop { name: None } => stop_all(&directory)?,
        Command::Stop { name: Some(name) } => request(&directory, &["stop", &name])?,
        Command::Start { name } => request(&directory, &["start", &name])?,
        Command::Status => return status(&directory),
        Command::Clean => supervisor::clean(&directory)?,
        Command::Logs { names } => return follow_logs(&directory, &names),
        Command::Test { command } => {
            let (program, arguments) = command.split_first().context("no command is given")?;
            return Ok(ExitCode::from(with_test_stack(program, arguments)?));
        }
        Command::Exec { command } => {
            let (program, arguments) = command.split_first().context("no command is given")?;
            let error = process::Command::new(program)
                .args(arguments)
                .envs(supervisor::environment()?)
                .exec();
            return Err(error).context(program.display().to_string());
        }
        Command::Child {
            parent,
            user,
            command,
        } => {
            let (program, arguments) = command.split_first().context("no program is given")?;
            let error = launcher::become_program(parent, user.as_deref(), program, arguments);
            return Err(error).context(program.display().to_string());
        }
        Command::ClickhouseServer {
            library,
            config,
            data,
        } => clickhouse_server::serve(&library, &config, &data)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn stop_all(directory: &Path) -> anyhow::Result<()> {
    match supervisor::stop_supervisor(directory)? {
        Some(_) => println!("The stack is stopped."),
        None => println!("No stack runs."),
    }
    Ok(())
}

fn request(directory: &Path, words: &[&str]) -> anyhow::Result<()> {
    if supervisor::holder(directory).is_none() {
        bail!("no stack runs; `make run` starts one");
    }
    let answer = supervisor::ask(directory, words).map_err(anyhow::Error::msg)?;
    println!("{answer}");
    Ok(())
}

fn status(directory: &Path) -> anyhow::Result<ExitCode> {
    if supervisor::holder(directory).is_none() {
        println!("No stack runs.");
        return Ok(ExitCode::from(NOT_RUNNING));
    }
    request(directory, &["status"])?;
    Ok(ExitCode::SUCCESS)
}

/// Turns into `tail`, which knows how to follow files that are rotated.
fn follow_logs(directory: &Path, names: &[String]) -> anyhow::Result<ExitCode> {
    let logs = directory.join("logs");
    let mut present: Vec<_> = fs::read_dir(&logs)
        .with_context(|| format!("there are no logs in {}", logs.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    present.sort();
    let is_wanted = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default();
        names.is_empty() || names.iter().any(|name| stem == name.as_str())
    };
    let wanted: Vec<_> = present.iter().filter(|path| is_wanted(path)).collect();
    if wanted.is_empty() {
        let known: Vec<_> = present
            .iter()
            .filter_map(|path| path.file_stem()?.to_str())
            .collect();
        bail!("there is no such log, only {}", known.join(", "));
    }
    let error = process::Command::new("tail")
        .args(["-n", "20", "-F"])
        .args(wanted)
        .exec();
    Err(error).context("tail")
}
