//! Recomputes what can be recomputed, and finds the first thing that is wrong.
//!
//! ```text
//! PostgreSQL: first and next offsets ─┬─ ingest_ledger: nothing beyond
//! events_raw, duplicates, dead_letters, gaps ─▶ balance: one verdict for every offset
//! events_raw ─▶ typed events           (one for one)
//! events_raw ─▶ duplicates             (each repeats an accepted event; no event was accepted twice)
//! typed events ─▶ region_sources
//! typed events + region_sources ─▶ settlements
//! typed events + settlements ─▶ every aggregate and state table, both families, key by key
//! ```
//!
//! The recomputation is plain SQL over the typed events, written anew: it shares nothing with the views that feed
//! the aggregates.
//!
//! # What is compared
//! Events are kept for 90 days (locations for 30), aggregates for ever. So slots of the last 90 days are compared,
//! and of active users older than 30 days only that nobody is missing. Tables with a row per user, route or booking
//! are compared where that began within the 90 days. What settling decided is compared with what it asked, where that
//! had been read by the time. The rows of an offset's verdict are kept for 13 days for certain: of what was decided
//! before, the ledger alone tells, and how much that is is reported.
//!
//! Offsets that an operator gave up are wrong for ever. They have a verdict, however, so everything is compared all the
//! same, and they are named last.
//!
//! # While the ingestor is running
//! The tables of a batch become visible within moments of each other, not in one instant, so a difference may be a
//! batch on its way. The balance is immune to that: it looks only below the durable next offset. Of the others, a
//! key is *wrong* only if it differed in every attempt, the last [`ATTEMPTS`] of them in the same values, and no batch
//! or settling that was under way at the first of those still was at the last.
//!
//! Nothing is called exact without evidence: every key must have been seen to be right at least once. A key that
//! differs at every look until patience ends, but in other values each time, is *being written*: an error in it would
//! look the same, so nothing is said of it. Neither is it where more keys differ at every look than can be followed, nor
//! of a batch that does not end. That is said, and is neither of the other two outcomes.

mod balance;
mod checks;
mod comparison;
mod config;
mod facts;
mod patience;
mod report;
mod under_way;

use std::{sync::Arc, time::Duration};

use event_store::Store;
use metadata_store::Pool;
use service_runtime::clock::Clock;

pub use self::{
    config::Config,
    patience::ATTEMPTS,
    report::{Outcome, Report, Vouched, Wrong},
};
use crate::{comparison::Comparison, under_way::UnderWay};

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// ClickHouse did not answer.
    #[error("clickhouse: {0}")]
    Store(#[from] event_store::StoreError),
    /// PostgreSQL did not answer.
    #[error("postgres: {0}")]
    Metadata(#[from] metadata_store::StoreError),
}

/// What is verified, and how patiently.
#[derive(Clone)]
pub struct Verifier {
    /// ClickHouse.
    pub store: Store,
    /// PostgreSQL.
    pub pool: Pool,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// How long a difference may be a batch on its way.
    pub patience: Duration,
    /// The time between two attempts.
    pub pause: Duration,
}

impl Verifier {
    /// Checks everything, stops at the first thing that is wrong, and tells `hear` of every step.
    ///
    /// # Errors
    /// When a store does not answer.
    pub async fn run(&self, mut hear: impl FnMut(&Report)) -> Result<Outcome, VerifyError> {
        let balance = balance::check(self).await?;
        hear(&balance.report);
        if let Some(wrong) = balance.wrong {
            return Ok(Outcome::Wrong(wrong));
        }
        if balance.is_empty {
            return Ok(Outcome::CannotSay(
                "PostgreSQL knows of no partition: has an ingestor ever run on it (OPENRIDE_POSTGRES_URL)?".to_owned(),
            ));
        }
        Ok(self.compare(hear).await?.with_lost(balance.lost))
    }

    async fn compare(&self, mut hear: impl FnMut(&Report)) -> Result<Outcome, VerifyError> {
        let mut moving = 0;
        for check in checks::all(self).await? {
            let mut report = Report {
                subject: check.table.to_owned(),
                ..Report::default()
            };
            for comparison in &check.comparisons {
                let verdict = patience::judge(self, comparison).await?;
                report.compared += verdict.compared;
                report.moving += verdict.moving;
                if verdict.outcome != Outcome::Right {
                    return Ok(verdict.outcome);
                }
            }
            hear(&report);
            moving += report.moving;
        }
        Ok(Outcome::of_moving(moving))
    }
}
