use std::{collections::BTreeMap, fmt};

use crate::{error::StoreError, native::BlockError};

/// Why the ingestor must not write to this server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// An insert made more parts than one per target and month, or fewer.
    #[error("an insert does not make one part per table and month: {parts}; {}", settings_text(.settings))]
    Parts {
        /// What it made.
        parts: Parts,
        /// The settings that are not as they were sent.
        settings: Vec<Deviation>,
    },
    /// The server did not do what was asked.
    #[error("the probe insert")]
    Store(#[from] StoreError),
    /// A defect of the probe.
    #[error("the probe block")]
    Block(#[from] BlockError),
}

/// A pinned setting that has another value when the insert runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Its name.
    pub name: &'static str,
    /// What it should be.
    pub pinned: &'static str,
    /// What it is.
    pub effective: String,
    /// What happens without it.
    pub reason: &'static str,
}

/// Parts by table and month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts(pub(super) BTreeMap<(String, String), u64>);

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ((table, month), parts)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{parts} in {table} for {month}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            pinned,
            effective,
            reason,
        } = self;
        write!(f, "{name} is {effective} instead of {pinned} ({reason})")
    }
}

fn settings_text(settings: &[Deviation]) -> String {
    match settings {
        [] => "all pinned settings have their values, so it is something that this version does not know".to_owned(),
        settings => settings.iter().map(Deviation::to_string).collect::<Vec<_>>().join("; "),
    }
}
