use crate::LaneId;
use uuid::Uuid;

/// What can go wrong between us and PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had: the server is down, full, or refuses us.
    #[error("cannot connect to PostgreSQL to {operation}")]
    Connect {
        /// What was to be done.
        operation: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A statement failed or its connection broke. Whether it was committed is not known.
    #[error("cannot {operation} in PostgreSQL")]
    Query {
        /// What was to be done.
        operation: &'static str,
        /// Why not.
        #[source]
        source: diesel::result::Error,
    },
    /// A migration failed.
    #[error("cannot migrate PostgreSQL: {0}")]
    Migrate(String),
    /// What is stored does not fit the protocol: somebody else wrote it. Nothing was changed.
    #[error(
        "batch {batch} cannot be closed: lane {lane} does not stand at the batch's first offset {expected}"
    )]
    LaneMoved {
        /// The batch.
        batch: Uuid,
        /// The lane that stands elsewhere.
        lane: LaneId,
        /// Where it should stand.
        expected: i64,
    },
    /// A stored value that this version cannot read.
    #[error("cannot read {what} stored in PostgreSQL: {detail}")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The batch is not stored.
    #[error("batch {0} is not stored")]
    NoSuchBatch(Uuid),
}

impl StoreError {
    /// Whether trying again later can help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Query { .. } => true,
            Self::Migrate(_)
            | Self::LaneMoved { .. }
            | Self::Unreadable { .. }
            | Self::NoSuchBatch(_) => false,
        }
    }
}

/// The error inside a transaction: diesel's, or ours.
#[derive(Debug)]
pub(crate) enum TxError {
    Diesel(diesel::result::Error),
    Store(StoreError),
}

impl From<diesel::result::Error> for TxError {
    fn from(source: diesel::result::Error) -> Self {
        Self::Diesel(source)
    }
}

impl TxError {
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        match self {
            Self::Diesel(source) => StoreError::Query { operation, source },
            Self::Store(error) => error,
        }
    }
}
