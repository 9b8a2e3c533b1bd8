use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::{ConfigCommand, Service};
use crate::config::FILE_VARIABLE;

/// The arguments of a service whose own commands are `C`.
#[derive(Debug, Parser)]
pub(super) struct Arguments<C: Subcommand> {
    /// Configuration file in TOML; the environment wins over it.
    #[arg(long, env = FILE_VARIABLE, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Option<Command<C>>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command<C: Subcommand> {
    /// Run it; the default.
    Run,
    /// Check, show or document the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(flatten)]
    More(C),
}

/// For services without commands of their own.
#[derive(Debug, Subcommand)]
pub enum NoMoreCommands {}

/// Parses the arguments of this process; a mistake, `--help` and `--version` end it.
pub(super) fn parse<C: Subcommand>(service: Service) -> Arguments<C> {
    let command = Arguments::<C>::command()
        .name(service.name)
        .version(service.version)
        .about(service.about);
    let parsed = Arguments::from_arg_matches(&command.get_matches());
    parsed.unwrap_or_else(|error| error.exit())
}
