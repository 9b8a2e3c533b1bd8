//! The `devstack` command.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use devstack::{clickhouse_server, launcher};

/// Runs Kafka, ClickHouse, PostgreSQL and Redis on this machine, with the services on top.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Becomes a program that ends when its parent does.
    #[command(hide = true)]
    Child {
        /// The parent; if it is gone already, nothing is started.
        #[arg(long)]
        parent: Option<u32>,
        /// The user to become first.
        #[arg(long)]
        user: Option<String>,
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Runs the ClickHouse engine as a server.
    #[command(hide = true)]
    ClickhouseServer {
        /// The engine, `libchdb.so`.
        #[arg(long)]
        library: PathBuf,
        /// The server's configuration.
        #[arg(long)]
        config: PathBuf,
        /// The data directory.
        #[arg(long)]
        data: PathBuf,
    },
}

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
    match command {
        Command::Child {
            parent,
            user,
            command,
        } => {
            let Some((program, arguments)) = command.split_first() else {
                anyhow::bail!("no program is given");
            };
            let error = launcher::become_program(parent, user.as_deref(), program, arguments);
            Err(anyhow::Error::new(error).context(format!("{}", program.display())))
        }
        Command::ClickhouseServer {
            library,
            config,
            data,
        } => {
            clickhouse_server::serve(&library, &config, &data)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
