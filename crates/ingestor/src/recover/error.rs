//! Why an attempt to finish a batch failed, and how it is told.

use crate::{
    dead_letters::DeadLetterError, judge::CODEC, reread::RereadError, rewound::RewoundError,
    write::WriteError, write::presence::TOLD_FOR,
};
use chrono::{DateTime, Utc};
use metadata_store::StoreError;
use service_runtime::telemetry::chain;
use tokio::task::JoinError;
use tracing::{error, info, warn};
use uuid::Uuid;

/// ClickHouse's code for a query that was killed.
const QUERY_WAS_CANCELLED: u32 = 394;
/// Failures in a row after which someone should look.
pub(crate) const ALARM_AFTER: u32 = 5;

/// Why an attempt did not finish the batch.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// PostgreSQL.
    #[error(transparent)]
    Intent(#[from] StoreError),
    /// ClickHouse.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Kafka.
    #[error(transparent)]
    Reread(#[from] RereadError),
    /// The dead-letter topic.
    #[error(transparent)]
    DeadLetter(#[from] DeadLetterError),
    /// Another version opened the batch.
    #[error(
        "batch {batch} was opened with codec {codec}, this version has {CODEC}: run a member of that version to finish it"
    )]
    OtherCodec {
        /// The batch.
        batch: Uuid,
        /// Its codec.
        codec: i32,
    },
    /// ClickHouse cannot tell any more what is there of the batch.
    #[error(
        "batch {batch} was decided {decided_at}, more than {days} days ago: ClickHouse has let go of what tells its rows apart, and a repair could count them twice; `ingestor lanes park {batch}` ends it",
        days = TOLD_FOR.num_days()
    )]
    TooOld {
        /// The batch.
        batch: Uuid,
        /// When it was judged.
        decided_at: DateTime<Utc>,
    },
    /// What ClickHouse knows of a lane cannot be put back into PostgreSQL.
    #[error(transparent)]
    Rewound(#[from] RewoundError),
    /// Somebody else is at it.
    #[error("another member recovers batch {0}")]
    LostRace(Uuid),
    /// The process ends; the batch stays open for the next one.
    #[error("the process is shutting down")]
    ShuttingDown,
    /// A defect of ours; the batch stays open.
    #[error("a step panicked")]
    Panicked(#[source] JoinError),
}

impl From<JoinError> for RecoverError {
    fn from(ended: JoinError) -> Self {
        match ended.is_panic() {
            true => Self::Panicked(ended),
            // the runtime ends
            false => Self::ShuttingDown,
        }
    }
}

impl RecoverError {
    /// Whether somebody else's attempt at the same batch ended this one.
    pub(super) fn is_contention(&self) -> bool {
        match self {
            Self::LostRace(_) => true,
            Self::Write(WriteError::Store(error)) => {
                error.is_fenced() || error.server_code() == Some(QUERY_WAS_CANCELLED)
            }
            _ => false,
        }
    }
}

/// Says that one more attempt has failed.
pub(super) fn report(batch: Uuid, failures: u32, failure: &RecoverError) {
    let reason = chain(failure);
    match failure {
        RecoverError::LostRace(_) => {
            info!(batch.id = %batch, "another member is recovering the batch")
        }
        _ if failures >= ALARM_AFTER => {
            error!(batch.id = %batch, failures, reason, "a batch cannot be finished; it is tried again until it can");
        }
        _ => warn!(batch.id = %batch, failures, reason, "an attempt to finish a batch failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_not_taken_for_a_shutdown() {
        let panicked = tokio::spawn(async { panic!("on purpose") }).await;
        let failure = RecoverError::from(panicked.unwrap_err());
        assert!(matches!(failure, RecoverError::Panicked(_)), "{failure:?}");
        assert!(chain(&failure).contains("on purpose"), "{failure:?}");
        let ended = tokio::spawn(std::future::pending::<()>());
        ended.abort();
        let failure = RecoverError::from(ended.await.unwrap_err());
        assert!(matches!(failure, RecoverError::ShuttingDown), "{failure:?}");
    }
}
