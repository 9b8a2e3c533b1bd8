//! What is promised of a settling before it is written.

use crate::StoreError;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which waiting facts a settling looks at. It settles those of which something is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Per waiting table, the buckets that it takes.
    pub taken: Vec<(String, Vec<u64>)>,
    /// Which of the facts in these buckets.
    #[serde(default)]
    pub slice: Slice,
    /// The bucket into which all are brought that go on waiting; without one they stay where they are.
    pub left_over: Option<u64>,
}

/// One of several parts of about the same size, by the places of the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Which of them, from 0.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl Slice {
    /// All facts.
    pub const WHOLE: Self = Self { number: 0, of: 1 };
}

impl Default for Slice {
    fn default() -> Self {
        Self::WHOLE
    }
}

/// How far a settling has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Promised; some of its rows may be written.
    Open,
    /// All rows are written; what was settled need not wait any more.
    Applied,
    /// Over.
    Done,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Applied => "applied",
            Self::Done => "done",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        match text {
            "open" => Ok(Self::Open),
            "applied" => Ok(Self::Applied),
            "done" => Ok(Self::Done),
            other => Err(StoreError::Unreadable {
                what: "state of a settling",
                detail: other.to_owned(),
            }),
        }
    }
}

/// A stored settling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settling {
    /// UUIDv7.
    pub id: Uuid,
    /// The time that its rows carry.
    pub settled_at: DateTime<Utc>,
    /// What it looks at.
    pub facts: Facts,
    /// The last attempt that was announced.
    pub attempt: i32,
    /// How far it has come.
    pub state: State,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settlings_that_were_promised_before_there_were_slices_are_read() {
        let stored = r#"{"taken": [["waiting_trip", [1, 2]]], "left_over": 3}"#;
        let facts: Facts = serde_json::from_str(stored).unwrap();
        assert_eq!(facts.slice, Slice::WHOLE);
        assert_eq!(facts.left_over, Some(3));
        assert_eq!(facts.taken, [("waiting_trip".to_owned(), vec![1, 2])]);
    }
}
