use crate::{LaneId, clock::ClockAhead, quiet::UnderWay};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::time::Duration;
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
    #[error("cannot {operation} in PostgreSQL{}", if is_lost(source) { CONNECTION_LOST } else { "" })]
    Query {
        /// What was to be done.
        operation: &'static str,
        /// Why not.
        #[source]
        source: diesel::result::Error,
    },
    /// No answer came in time. Whether the statement was executed is not known.
    #[error("cannot {operation} in PostgreSQL: it has not answered for {limit:?}")]
    NoAnswer {
        /// What was to be done.
        operation: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// Another migration has the lock. Nothing was changed.
    #[error(
        "another migration was under way for the {waited:?} that this one waited: see that it ends, then migrate again"
    )]
    MigrationUnderWay {
        /// How long was waited.
        waited: Duration,
    },
    /// What is open was not closed in time. Nothing was changed.
    #[error(
        "the schema cannot be changed while these are open, which {} s did not end: {}. Their member finishes them, or \
         the one that takes its lanes over: see that an ingestor of the version that is installed runs, and what its log \
         says about them; then migrate again",
        waited.as_secs(),
        under_way.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    StillOpen {
        /// How long was waited.
        waited: Duration,
        /// What is open, oldest first.
        under_way: Vec<UnderWay>,
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
    /// Nothing is decided by this clock.
    #[error(transparent)]
    ClockAhead(#[from] ClockAhead),
    /// The batch is not stored.
    #[error("batch {0} is not stored")]
    NoSuchBatch(Uuid),
}

impl StoreError {
    /// Whether PostgreSQL was away, or too slow: the same may work in a while.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::NoAnswer { .. } => true,
            Self::Query { source, .. } => is_lost(source),
            _ => false,
        }
    }
}

const CONNECTION_LOST: &str = ": the connection broke, or was given up because no answer came within `statement_timeout` and 5 s";

fn is_lost(source: &DieselError) -> bool {
    let DieselError::DatabaseError(kind, _) = source else {
        return false;
    };
    matches!(
        kind,
        DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection
    )
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
