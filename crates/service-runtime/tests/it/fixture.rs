//! A configuration with every kind of setting.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{ByteSize, HumanDuration, Problem, Secret, Settings};
use url::Url;

/// A configuration of a service that only exists here.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) batch: Batch,
    pub(crate) store: Store,
    pub(crate) tls: Option<Tls>,
    /// Name of the place, in the language of the place.
    pub(crate) place: String,
}

/// How records are gathered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Batch {
    /// Rows after which a batch is written.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_rows: u32,
    /// Bytes after which a batch is written.
    pub(crate) max_bytes: ByteSize,
    /// Age at which a batch is written.
    pub(crate) max_age: HumanDuration,
    /// Share of the memory that batches may fill.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) memory_share: f64,
    /// Whether batches are compressed.
    pub(crate) compress: bool,
    /// What happens to a record that does not fit.
    pub(crate) overflow: Overflow,
    /// Signed adjustment of the clock in seconds.
    pub(crate) skew: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Overflow {
    /// Wait until it fits.
    Wait,
    /// Set it aside.
    SetAside,
}

/// Where rows are written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// Address of the store.
    pub(crate) url: Url,
    /// Password of the store.
    pub(crate) password: Secret,
    /// Brokers, each `host:port`.
    #[schemars(length(min = 1))]
    pub(crate) brokers: Vec<String>,
    /// Ports that are tried in turn.
    pub(crate) ports: Vec<u16>,
    /// Address that is listened on.
    pub(crate) listen: SocketAddr,
    /// Other names of topics.
    pub(crate) aliases: BTreeMap<String, String>,
}

/// Certificates.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    /// Certificate of the authority.
    pub(crate) authority: Option<PathBuf>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            max_rows: 50_000,
            max_bytes: ByteSize::mib(16),
            max_age: HumanDuration::secs(1),
            memory_share: 0.5,
            compress: true,
            overflow: Overflow::Wait,
            skew: 0,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: Url::parse("http://127.0.0.1:8123").unwrap(),
            password: Secret::from("default-password"),
            brokers: vec!["127.0.0.1:9092".to_owned()],
            ports: vec![1, 2],
            listen: SocketAddr::from(([127, 0, 0, 1], 9101)),
            aliases: BTreeMap::new(),
        }
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let too_long = self.batch.max_age > HumanDuration::secs(60) && !self.batch.compress;
        match too_long {
            true => Err(vec![
                Problem::new("max_age", "must be at most 60s while compress is false")
                    .within("batch"),
            ]),
            false => Ok(()),
        }
    }
}
