//! Why there is no record at an offset.

use std::fmt;

/// Why a range of offsets has no record, as it stands in `ingest_gaps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapCause {
    /// Read again and found without a record: markers of transactions, aborted records.
    Control,
    /// Reserved: a compacted topic is refused, and what it has removed is found without a record.
    Compacted,
    /// Given up by an operator.
    Lost,
}

impl GapCause {
    /// The cause as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Compacted => "compacted",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for GapCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
