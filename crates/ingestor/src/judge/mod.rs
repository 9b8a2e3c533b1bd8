//! Gives every record its verdict and turns the accepted ones into rows.
//!
//! What comes out depends on the bytes, the codec, `decided_at`, the age limits and the verdicts about
//! identities, and on nothing else: a recovery that passes the stored verdicts gets the very same rows.

mod encoder;
mod identities;
mod intent;
mod lane;
mod verdicts;

pub use encoder::{DomainInsert, Encoder};
pub use identities::{Accepted, Identities, Window};
pub use intent::StoredLimits;
pub use verdicts::{IdentityJudge, StoredVerdicts};

use crate::{
    batch::{LaneRecords, RawBatch, Record},
    share::Share,
};
use chrono::{DateTime, Utc};
use event_store::native::BlockError;
use lane::Outcome;
use metadata_store::batches::Range;
use shared_schema::{AgeLimits, Rejection};
use tokio::task::JoinError;
use uuid::Uuid;

/// The version of this module's behaviour: raised when the same bytes may give other rows. A batch is
/// finished by the version that opened it. 2: other coordinates of 16 cities.
pub const CODEC: i32 = 2;

/// A batch with its verdicts and its rows.
pub struct Judged {
    /// The batch's id.
    pub id: Uuid,
    /// The time against which ages were judged.
    pub decided_at: DateTime<Utc>,
    /// The age limits that applied.
    pub limits: AgeLimits,
    /// How many offsets back a duplicate was looked for.
    pub dedup_window: i64,
    /// Which of the batch's ranges these are.
    pub share: Share,
    /// The records, kept for the dead letters and for judging again without a lost lane.
    pub raw: RawBatch,
    /// What to store of each lane.
    pub ranges: Vec<Range>,
    /// What the ledger says of each lane.
    pub counts: Vec<Counts>,
    /// What cannot be accepted.
    pub dead: Vec<DeadLetter>,
    /// Ids of the duplicate events, in the order of the ranges' `duplicates`.
    pub duplicate_ids: Vec<Uuid>,
    /// The inserts, one per domain that has rows.
    pub inserts: Vec<DomainInsert>,
}

impl Judged {
    /// Lets go of the records' bytes, once no lane can leave the batch any more. Dead letters keep theirs.
    pub fn shed(&mut self) {
        for (index, lane) in self.raw.lanes.iter_mut().enumerate() {
            let dead = self.dead.iter().filter(|letter| letter.lane == index);
            lane.keep_bytes_of(dead.map(|letter| letter.record));
        }
    }

    /// The lane and record of a dead letter.
    pub fn record_of(&self, letter: &DeadLetter) -> Option<(&LaneRecords, &Record)> {
        let lane = self.raw.lanes.get(letter.lane)?;
        Some((lane, lane.records.get(letter.record)?))
    }
}

/// Verdicts of one lane, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accepted records.
    pub accepted: u64,
    /// Repeats.
    pub duplicate: u64,
    /// Dead letters.
    pub dead_lettered: u64,
}

/// A record that cannot be accepted.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Index of its lane.
    pub lane: usize,
    /// Index of the record in its lane.
    pub record: usize,
    /// Why.
    pub rejection: Rejection,
}

/// What a batch is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The time against which ages are judged.
    pub decided_at: DateTime<Utc>,
    /// How old and how far ahead an event may be.
    pub limits: AgeLimits,
    /// How many offsets back a duplicate is looked for. It is only stored: the identities know their own reach.
    pub dedup_window: i64,
}

/// Judges all records of a batch.
///
/// # Errors
/// When a row cannot be encoded, which is a defect of ours and of no record.
pub fn judge(
    id: Uuid,
    raw: RawBatch,
    rules: Rules,
    identities: &mut impl IdentityJudge,
    encoder: &mut Encoder,
) -> Result<Judged, BlockError> {
    let mut outcome = Outcome::default();
    for (index, lane) in raw.lanes.iter().enumerate() {
        outcome.judge_lane(index, lane, rules, identities, encoder);
    }
    Ok(Judged {
        id,
        decided_at: rules.decided_at,
        limits: rules.limits,
        dedup_window: rules.dedup_window,
        share: Share::default(),
        inserts: encoder.finish()?,
        ranges: outcome.ranges,
        counts: outcome.counts,
        dead: outcome.dead,
        duplicate_ids: outcome.duplicate_ids,
        raw,
    })
}

/// Judges off the threads that serve the wire: a full batch takes tens of milliseconds.
///
/// # Errors
/// When judging panics, or the process ends before it.
pub async fn judge_aside<I: IdentityJudge + Send + 'static>(
    id: Uuid,
    raw: RawBatch,
    rules: Rules,
    mut identities: I,
    mut encoder: Encoder,
) -> Result<(Result<Judged, BlockError>, I, Encoder), JoinError> {
    let judging = tokio::task::spawn_blocking(move || {
        let judged = judge(id, raw, rules, &mut identities, &mut encoder);
        (judged, identities, encoder)
    });
    judging.await
}
