use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Subcommand;

use super::ServiceSettings;
use crate::config::{Document, Loader, Origin, example};

/// What can be done with a configuration besides running with it.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Load the configuration and list everything that is wrong with it.
    Check,
    /// Show every setting with its value, without secrets, and where the value comes from.
    Show,
    /// Print every setting with its description and default, in the form of an environment file.
    Example,
}

impl ConfigCommand {
    pub(super) fn run<T: ServiceSettings>(
        self,
        service: &str,
        file: Option<PathBuf>,
    ) -> anyhow::Result<()> {
        let text = match self {
            Self::Example => example(&[Document::of::<T>(service)?])?,
            Self::Check => check::<T>(file)?,
            Self::Show => show::<T>(file)?,
        };
        match io::stdout().write_all(text.as_bytes()) {
            // Whoever reads through `head` has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }
}

fn check<T: ServiceSettings>(file: Option<PathBuf>) -> anyhow::Result<String> {
    let loaded = Loader::from_process(file).load::<T>()?;
    let mut text = "the configuration is valid\n".to_owned();
    if !loaded.ignored.is_empty() {
        text.push_str(&format!(
            "settings of other services: {}\n",
            loaded.ignored.join(", ")
        ));
    }
    Ok(text)
}

fn show<T: ServiceSettings>(file: Option<PathBuf>) -> anyhow::Result<String> {
    let loaded = Loader::from_process(file).load::<T>()?;
    let mut text = String::new();
    for setting in loaded.settings()? {
        let origin = match setting.origin {
            Origin::Environment(name) if name == setting.name => "environment".to_owned(),
            other => other.to_string(),
        };
        text.push_str(&format!(
            "{} = {}  # {origin}\n",
            setting.name, setting.value
        ));
    }
    Ok(text)
}
