//! A lane's records, one after the other: decode, judge the age, judge the identity, make the row.

use super::{Counts, DeadLetter, Encoder, IdentityJudge, Rules, verdicts::Identity};
use crate::{
    batch::{LaneRecords, Record},
    rows::{Place, Rows},
};
use metadata_store::batches::{Range, Verdicts};
use shared_schema::{ClockSkew, ReasonCode, Rejection, decode, judge_age};
use uuid::Uuid;

/// What was found of the lanes so far.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) ranges: Vec<Range>,
    pub(super) counts: Vec<Counts>,
    pub(super) dead: Vec<DeadLetter>,
    pub(super) duplicate_ids: Vec<Uuid>,
}

impl Outcome {
    /// Judges the records of a lane, in their order.
    pub(super) fn judge_lane(
        &mut self,
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
        self.ranges.push(lane.range(verdicts));
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
    lane: &'a LaneRecords,
    rules: Rules,
    identities: &'a mut I,
    rows: Option<&'a mut Rows>,
}

impl<I: IdentityJudge> LaneJudge<'_, I> {
    fn verdict(&mut self, record: &Record) -> Verdict {
        let value = self.lane.value(record);
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
            .judge(&self.lane.lane, &decoded, record.offset, value)
        {
            Identity::New => {}
            Identity::Repeats(repeats) => {
                return Verdict::Duplicate {
                    id: decoded.event_id,
                    repeats,
                };
            }
            Identity::Reused(original) => {
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
