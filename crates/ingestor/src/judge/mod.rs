//! Gives every record its verdict and turns the accepted ones into rows.
//!
//! What comes out depends on the bytes, the codec, `decided_at`, the age limits and the verdicts about
//! identities, and on nothing else: a recovery that passes the stored verdicts gets the very same rows.

mod identities;
mod intent;
mod verdicts;

pub use identities::{Accepted, Identities, Window};
pub use intent::StoredLimits;
pub use verdicts::{IdentityJudge, StoredVerdicts};

use crate::{
    batch::{LaneRecords, RawBatch, Record},
    buffers::Buffers,
    rows::{Place, Rows},
};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use event_store::native::BlockError;
use metadata_store::batches::{Range, Verdicts};
use shared_schema::{AgeLimits, ClockSkew, Domain, ReasonCode, Rejection, decode, judge_age};
use std::collections::BTreeSet;
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
        let dead = self.dead.iter().map(|letter| (letter.lane, letter.record));
        self.raw.keep_bytes_of(dead);
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

/// Rows of one domain, encoded.
#[derive(Debug, Clone)]
pub struct DomainInsert {
    /// Whose input table they go to.
    pub domain: Domain,
    /// A Native block, with a sentinel for each of `months`.
    pub body: Bytes,
    /// The UTC months of its rows, by their first days.
    pub months: BTreeSet<NaiveDate>,
}

/// Turns batches into rows; keeps its column buffers between them.
pub struct Encoder(Vec<(Domain, Rows, Buffers)>);

impl Default for Encoder {
    fn default() -> Self {
        Self(
            Domain::ALL
                .into_iter()
                .map(|domain| (domain, Rows::new(domain), Buffers::default()))
                .collect(),
        )
    }
}

impl Encoder {
    /// The (empty) rows of a domain.
    pub fn rows(&mut self, domain: Domain) -> Option<&mut Rows> {
        self.0
            .iter_mut()
            .find(|(of, ..)| *of == domain)
            .map(|(_, rows, _)| rows)
    }

    fn finish(&mut self) -> Result<Vec<DomainInsert>, BlockError> {
        let mut inserts = Vec::new();
        let filled = self.0.iter_mut().filter(|(_, rows, _)| !rows.is_empty());
        for (domain, rows, buffers) in filled {
            let mut body = buffers.take();
            let about = rows.byte_len();
            body.reserve(about + about / 16 + 65_536);
            let months = rows.finish(&mut body)?;
            inserts.push(DomainInsert {
                domain: *domain,
                body: Bytes::from_owner(body),
                months,
            });
        }
        Ok(inserts)
    }
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
        outcome.judge_lane(&raw, index, lane, rules, identities, encoder);
    }
    Ok(Judged {
        id,
        decided_at: rules.decided_at,
        limits: rules.limits,
        dedup_window: rules.dedup_window,
        inserts: encoder.finish()?,
        ranges: outcome.ranges,
        counts: outcome.counts,
        dead: outcome.dead,
        duplicate_ids: outcome.duplicate_ids,
        raw,
    })
}

#[derive(Default)]
struct Outcome {
    ranges: Vec<Range>,
    counts: Vec<Counts>,
    dead: Vec<DeadLetter>,
    duplicate_ids: Vec<Uuid>,
}

impl Outcome {
    fn judge_lane(
        &mut self,
        raw: &RawBatch,
        index: usize,
        lane: &LaneRecords,
        rules: Rules,
        identities: &mut impl IdentityJudge,
        encoder: &mut Encoder,
    ) {
        let mut counts = Counts::default();
        let mut verdicts = Verdicts {
            gaps: lane.gaps.clone(),
            ..Verdicts::default()
        };
        let rows = encoder.rows(lane.source.domain);
        let mut lane_judge = LaneJudge {
            raw,
            lane,
            rules,
            identities,
            rows,
        };
        for (position, record) in lane.records.iter().enumerate() {
            match lane_judge.verdict(record) {
                Verdict::Accepted => counts.accepted += 1,
                Verdict::Duplicate { id, repeats } => {
                    counts.duplicate += 1;
                    verdicts.duplicates.push((record.offset, repeats));
                    self.duplicate_ids.push(id);
                }
                Verdict::Dead { rejection, reuses } => {
                    counts.dead_lettered += 1;
                    verdicts
                        .reused_ids
                        .extend(reuses.map(|original| (record.offset, original)));
                    self.dead.push(DeadLetter {
                        lane: index,
                        record: position,
                        rejection,
                    });
                }
            }
        }
        self.counts.push(counts);
        self.ranges.push(Range {
            lane: lane.lane.clone(),
            epoch: lane.epoch,
            lo: lane.lo,
            hi: lane.hi,
            records: i64::try_from(lane.records.len()).unwrap_or(i64::MAX),
            hash: raw.hash(lane),
            verdicts,
            parked: false,
        });
    }
}

enum Verdict {
    Accepted,
    Duplicate {
        id: Uuid,
        repeats: i64,
    },
    Dead {
        rejection: Rejection,
        reuses: Option<i64>,
    },
}

impl From<Rejection> for Verdict {
    fn from(rejection: Rejection) -> Self {
        Self::Dead {
            rejection,
            reuses: None,
        }
    }
}

struct LaneJudge<'a, I> {
    raw: &'a RawBatch,
    lane: &'a LaneRecords,
    rules: Rules,
    identities: &'a mut I,
    rows: Option<&'a mut Rows>,
}

impl<I: IdentityJudge> LaneJudge<'_, I> {
    fn verdict(&mut self, record: &Record) -> Verdict {
        let value = self.raw.value(record);
        let decoded = match decode(value, &self.lane.source) {
            Ok(decoded) => decoded,
            Err(rejection) => return rejection.into(),
        };
        let age = judge_age(
            decoded.timestamp_ms,
            self.rules.decided_at.timestamp_millis(),
            self.lane.source.domain,
            &self.rules.limits,
        );
        let ClockSkew(skewed) = match age {
            Ok(skew) => skew,
            Err(rejection) => return rejection.into(),
        };
        match self
            .identities
            .judge(&self.lane.lane, decoded.event_id, record.offset, value)
        {
            verdicts::Identity::New => {}
            verdicts::Identity::Repeats(repeats) => {
                return Verdict::Duplicate {
                    id: decoded.event_id,
                    repeats,
                };
            }
            verdicts::Identity::Reused(original) => {
                let detail = format!("offset {original} has the same event_id and another payload");
                let rejection = Rejection::at("$.event_id", ReasonCode::IdReused, detail);
                return Verdict::Dead {
                    rejection,
                    reuses: Some(original),
                };
            }
        }
        let place = Place {
            topic: &self.lane.lane.topic,
            partition: u32::try_from(self.lane.lane.partition).unwrap_or_default(),
            offset: u64::try_from(record.offset).unwrap_or_default(),
            timestamp_ms: record.timestamp_ms,
        };
        if let Some(rows) = self.rows.as_deref_mut() {
            rows.push(&decoded, place, skewed, value);
        }
        Verdict::Accepted
    }
}
