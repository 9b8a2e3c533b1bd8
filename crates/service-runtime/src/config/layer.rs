use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde_json::Value;

use super::{
    Problem,
    catalogue::{Setting, put},
};

/// Where the value of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Environment(name) => f.write_str(name),
        }
    }
}

/// What one source says, before it is laid over the ones below.
#[derive(Debug, Default)]
pub(super) struct Layer {
    values: Vec<(Vec<String>, Value, Origin)>,
    pub(super) problems: Vec<Problem>,
    /// Variables that belong to other services.
    pub(super) ignored: Vec<String>,
}

impl Layer {
    pub(super) fn put(&mut self, setting: &Setting, value: Value, origin: Origin) {
        self.values.push((setting.path.clone(), value, origin));
    }

    /// Lays the values over a tree and notes where each came from, by dotted key.
    pub(super) fn apply(self, tree: &mut Value, origins: &mut BTreeMap<String, Origin>) {
        for (path, value, origin) in self.values {
            put(tree, &path, value);
            origins.insert(path.join("."), origin);
        }
    }
}
