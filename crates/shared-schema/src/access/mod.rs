//! Who may do what, and where: what the keys in PostgreSQL, the claims of tokens and the jobs of callers have in common.

mod scope;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use scope::{MOST_PLACES, Place, Scope, ScopeError};

/// What a caller may do. Each may also do what those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads metrics, analyses, definitions and the ledger.
    Viewer,
    /// Also opens numbers down to their events, and has exports and schedules of its own.
    Analyst,
    /// Does everything within its scope, keys included.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Analyst, Self::Admin];

    /// The name as it is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }

    /// The role of a name, exactly as written.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
