//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Parser, Subcommand};
use devstack::supervisor::settings_help;

/// Runs Kafka, ClickHouse, PostgreSQL and Redis on this machine, with the services on top.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the whole stack in the foreground until Ctrl-C.
    #[command(after_long_help = settings_help())]
    Run {
        /// Run only the servers, for services that you start yourself.
        #[arg(long)]
        servers_only: bool,
        /// Events per second of live traffic; 0 for none.
        #[arg(long, default_value_t = 50)]
        rate: u32,
    },
    /// Ends the running stack, or one server or service of it.
    Stop {
        /// kafka, clickhouse, postgres, redis, ingestor, query-api or simulator.
        name: Option<String>,
    },
    /// Brings a stopped server or service back.
    Start {
        /// kafka, clickhouse, postgres, redis, ingestor, query-api or simulator.
        name: String,
    },
    /// Says what runs.
    Status,
    /// Removes data, configuration and logs of the stack. Downloads stay in the user's cache.
    Clean,
    /// Shows the logs and follows them.
    Logs {
        /// Which ones; all if none is named.
        names: Vec<String>,
    },
    /// Becomes a command that finds the running stack in its environment, for example a second
    /// ingestor.
    Exec {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Runs a command beside a stack of its own, on free ports, for tests.
    Test {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
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
