use super::{HumanDuration, Secret};
use std::{fmt, path::PathBuf};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting: inside [`Settings::validate`](super::Settings::validate) its dotted key
    /// (`batch.max_rows`); in an error of the loader also the name the user wrote.
    pub setting: String,
    /// What is wrong with it and what is allowed, as the rest of a sentence that begins with the
    /// setting. Holds no secret.
    pub message: String,
}

impl Problem {
    /// A problem with the setting of this dotted key.
    pub fn new(setting: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            message: message.into(),
        }
    }

    /// The same problem seen from the configuration that holds the section under this name.
    #[must_use]
    pub fn within(self, section: &str) -> Self {
        Self::new(format!("{section}.{}", self.setting), self.message)
    }

    /// The checks of several sections as one check of the configuration that holds them under these names.
    pub fn of_sections<const N: usize>(
        sections: [(&str, Result<(), Vec<Self>>); N],
    ) -> Result<(), Vec<Self>> {
        Self::none_of(sections.into_iter().flat_map(|(section, result)| {
            let found = result.err().unwrap_or_default();
            found
                .into_iter()
                .map(move |problem| problem.within(section))
        }))
    }

    /// The outcome of a check that has found these.
    ///
    /// # Errors
    /// When there is any.
    pub fn none_of(found: impl IntoIterator<Item = Self>) -> Result<(), Vec<Self>> {
        let problems: Vec<Self> = found.into_iter().collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems),
        }
    }

    /// A problem with a secret that HMAC with SHA-256 signs with: it is as strong as its secret is long, up to 32 bytes.
    /// None with an empty one, which signs nothing.
    pub fn weak_secret(setting: &str, secret: &Secret) -> Option<Self> {
        const LEAST_BYTES: usize = 32;
        let refuse = || {
            Self::new(
                setting,
                format!("it must have at least {LEAST_BYTES} bytes"),
            )
        };
        let is_weak = !secret.is_empty() && secret.expose().len() < LEAST_BYTES;
        is_weak.then(refuse)
    }

    /// A problem with a duration that is no whole millisecond.
    pub fn too_short(setting: &str, duration: HumanDuration) -> Option<Self> {
        let refuse = || Self::new(setting, "it must be at least 1ms");
        (duration.as_millis() == 0).then(refuse)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.message)
    }
}

/// Why a configuration could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named by `--config` or `OPENRIDE_CONFIG` cannot be read.
    #[error("the configuration file {} cannot be read: {source}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration file is not TOML. The text of the file is not repeated: it may hold secrets.
    #[error("the configuration file {} is not TOML: line {line}: {message}", path.display())]
    ParseFile {
        /// The file.
        path: PathBuf,
        /// Where the mistake was noticed, from 1.
        line: usize,
        /// The mistake.
        message: String,
    },
    /// Settings are unknown, malformed or do not fit together. All that were found are listed.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
    /// The configuration type itself is at fault, which is a defect of the program.
    #[error("the configuration type {type_name} cannot be used: {message}")]
    Type {
        /// The Rust type.
        type_name: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

fn list(problems: &[Problem]) -> String {
    let count = problems.len();
    let mut text = match count {
        1 => "the configuration has a problem:".to_owned(),
        _ => format!("the configuration has {count} problems:"),
    };
    for problem in problems {
        text.push_str(&format!("\n  {problem}"));
    }
    text
}
