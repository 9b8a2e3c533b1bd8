//! Typed configuration, owned by the crate that uses it.
//!
//! A service's configuration is a struct of sections. Each section is defined where it is used, derives
//! `Serialize`, `Deserialize`, `JsonSchema` and has a `Default`, with
//! `#[serde(deny_unknown_fields, default)]`. The doc comments of the fields are the documentation that
//! users read, so they say what a setting does and in which unit; durations, sizes and secrets are
//! [`HumanDuration`], [`ByteSize`] and [`Secret`], ranges are `#[schemars(range(min = 1))]`, and all of
//! that is enforced when the configuration is loaded.
//!
//! ```
//! use service_runtime::config::{HumanDuration, Loader, Settings};
//!
//! /// How records are gathered.
//! #[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields, default)]
//! struct Batch {
//!     /// Rows after which a batch is written.
//!     #[schemars(range(min = 1, max = 1_000_000))]
//!     max_rows: u32,
//!     /// Age at which a batch is written.
//!     max_age: HumanDuration,
//! }
//!
//! impl Default for Batch {
//!     fn default() -> Self {
//!         Self { max_rows: 50_000, max_age: HumanDuration::secs(1) }
//!     }
//! }
//!
//! #[derive(Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields, default)]
//! struct Config {
//!     batch: Batch,
//! }
//!
//! impl Settings for Config {}
//!
//! let loader = Loader::default().with_variable("OPENRIDE_BATCH_MAX_AGE", "250ms");
//! let config = loader.load::<Config>()?.config;
//! assert_eq!(config.batch.max_age, HumanDuration::millis(250));
//!
//! let typo = Loader::default().with_variable("OPENRIDE_BATCH_MAXROWS", "1");
//! let error = typo.load::<Config>().unwrap_err().to_string();
//! assert!(error.contains("did you mean OPENRIDE_BATCH_MAX_ROWS?"));
//! # Ok::<(), service_runtime::config::ConfigError>(())
//! ```
//!
//! # Where values come from
//! From the weakest to the strongest: `T::default()`, the TOML file of `--config` or `OPENRIDE_CONFIG`,
//! the environment. The setting `batch.max_rows` is the variable `OPENRIDE_BATCH_MAX_ROWS`; with `_FILE`
//! behind it, the variable names a file that holds the value, as mounted secrets do. An empty variable
//! counts as absent, a list is separated by commas.
//!
//! # One environment for all services
//! Services often share one environment, so a variable that another OpenRide service understands is no
//! mistake here. What all of them understand stands in `.env.example`, which is generated from their
//! types by [`example()`] and built into this crate: a variable found there is passed over, any other
//! `OPENRIDE_*` name stops the start and the nearest right one is named. A test keeps the file in step
//! with the types. Names that begin with `OPENRIDE_STACK_` or `OPENRIDE_TEST_` belong to the local stack.
//! A configuration file, on the other hand, is given to one service: in it every unknown key is refused.

mod byte_size;
mod catalogue;
mod duration;
mod environment;
mod example;
mod file;
mod format;
mod kind;
mod layer;
mod loader;
mod problem;
mod redact;
mod secret;
mod suggest;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    byte_size::{ByteSize, ParseByteSizeError},
    duration::HumanDuration,
    example::{Document, ExampleError, example, published},
    layer::Origin,
    loader::{Loaded, LoadedSetting, Loader},
    problem::{ConfigError, Problem},
    redact::redacted,
    secret::Secret,
};

/// Begins the name of every environment variable.
const PREFIX: &str = "OPENRIDE_";

/// Names the configuration file.
pub(crate) const FILE_VARIABLE: &str = "OPENRIDE_CONFIG";

/// A configuration, or a section of one.
pub trait Settings: Serialize + DeserializeOwned + JsonSchema + Default {
    /// Checks that need more than one value, or more than its type can say.
    ///
    /// The keys of the problems are relative to this type; a configuration passes the problems of its
    /// sections on with [`Problem::of_sections`].
    fn validate(&self) -> Result<(), Vec<Problem>> {
        Ok(())
    }
}
