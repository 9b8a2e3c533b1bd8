//! `/pipeline/ledger`: whether every offset of every partition has exactly one verdict.
//!
//! ```text
//! first_offset      recounted from                       next_offset (the durable one)
//!      ├───────────────────┼──────────────────────────────────┤
//!        sums of the ledger   rows of events_raw, duplicates, dead_letters
//!      └──────────────── rows of ingest_gaps ──────────────────┘
//! ```
//!
//! The stored rows themselves are counted, not what their writer said of them. Rows leave, however: an event 14 days
//! after it was the oldest that is accepted, and no event is older when it is decided about. So what was decided in
//! the last 13 days is still there whole and is recounted; of what was decided before, the rows of `ingest_ledger`
//! tell the counts: what the ingestor stored of each batch vouches for them. Gaps are kept for ever.

mod statements;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use shared_schema::GapCause;
use utoipa::ToSchema;

pub use self::statements::{counted, gaps, latest, recent, recounted, vouched};

/// Days for which no row of what was decided can have expired.
const RECOUNTED_DAYS: i64 = 13;
/// Offsets of a partition, the latest, of which none may have two verdicts for an answer to be balanced. Telling
/// offsets apart takes reading them, so that there is a limit; `openride-verify` tells all apart that it recounts.
pub(crate) const TOLD_APART: u64 = 50_000;
/// Lanes whose accounts are asked for at once: a lane takes up to a kilobyte of a statement, and a statement may have 256
/// (`max_query_size`).
const LANES_AT_ONCE: usize = 100;
/// Gaps of a partition that are shown; their sums are of all.
pub(crate) const SHOWN_GAPS: u64 = 100;

/// The offsets of a partition that are to be accounted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The Kafka topic.
    pub topic: String,
    /// The partition's number.
    pub partition: u64,
    /// The first offset that this platform answers for.
    pub first_offset: u64,
    /// Everything before it is durable.
    pub next_offset: u64,
    /// What was decided about lies before it: it is durable, or being written. `None` where the lane stands still, and
    /// what was decided beyond is an operator's matter.
    pub known_until: Option<u64>,
}

/// A lane, and from which offset on its rows are counted themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The lane.
    pub lane: Lane,
    /// Between the lane's first and next offset.
    pub recounted_from: u64,
    /// Offsets in the ledger beyond what is known of.
    pub forgotten: u64,
}

/// The account of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    /// The Kafka topic.
    #[schema(example = "openride.events.booking")]
    pub topic: String,
    /// The partition's number.
    pub partition: u64,
    /// The first offset that this platform answers for.
    pub first_offset: u64,
    /// Everything before it is durable.
    pub next_offset: u64,
    /// Events that were stored.
    pub accepted: u64,
    /// Events that repeat a stored one.
    pub duplicate: u64,
    /// Records that are no event, with their reason among the dead letters.
    pub dead_lettered: u64,
    /// Offsets without a record, the latest 100 of the ranges, lost ones first.
    pub gaps: Vec<Gap>,
    /// How many offsets all gaps have, by cause.
    pub gap_offsets: std::collections::BTreeMap<String, u64>,
    /// Whether next − first = accepted + duplicate + dead-lettered + gaps, every offset has one verdict, and none is
    /// lost or forgotten.
    pub balanced: bool,
    /// Offsets without a verdict; negative if there are more verdicts than offsets.
    pub missing: i128,
    /// Verdicts beyond the first of an offset, among the latest 50,000 offsets. Before them a second verdict shows in
    /// `missing`, unless another offset has none.
    pub repeated: u64,
    /// Offsets from the next one on that were decided about in the last 13 days, as the ledger in ClickHouse tells, but
    /// that PostgreSQL knows nothing of: it has gone back, to a restored backup for example. An ingestor puts them back
    /// when it next looks at the partition. 0 where the partition was stopped.
    pub forgotten: u64,
    /// Rows from this offset on were counted for this answer; what lies before may have expired, and is told by the
    /// ledger of the time.
    pub recounted_from: u64,
}

/// Offsets without a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gap {
    /// The first.
    pub first_offset: u64,
    /// The last.
    pub last_offset: u64,
    /// `control`: read again and found without a record (markers of transactions, aborted records); `lost`: given up by
    /// an operator. `compacted` is reserved.
    pub cause: String,
}

/// Where the recently decided offsets of a partition begin, and the last of them.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct RecentRow {
    topic: String,
    partition: u64,
    first: u64,
    last: u64,
}

/// Sums over the ledger of a partition.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub struct VouchedRow {
    topic: String,
    partition: u64,
    accepted: u64,
    duplicate: u64,
    dead_lettered: u64,
}

/// Stored rows of a partition.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub struct RecountedRow {
    topic: String,
    partition: u64,
    accepted: u64,
    duplicate: u64,
    dead_lettered: u64,
    /// Distinct offsets of all of them.
    offsets: u64,
}

/// Stored rows of a partition, whatever their offsets.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub struct CountedRow {
    topic: String,
    partition: u64,
    accepted: u64,
    duplicate: u64,
    dead_lettered: u64,
}

/// The gaps of a partition of one cause: all their offsets, and the latest of the ranges.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct GapRow {
    topic: String,
    partition: u64,
    cause: String,
    offsets: u64,
    latest: Vec<(u64, u64)>,
}

/// What was decided since is recounted, now and for as long as its rows are kept for certain.
#[must_use]
pub fn recounted_since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(RECOUNTED_DAYS)
}

/// What is to be counted of these lanes, in portions that statements can name at once.
///
/// What was recently decided is to be asked before the lanes: what is in the ledger then is known of after it.
pub fn portions(lanes: Vec<Lane>, recent: Vec<RecentRow>) -> Vec<Vec<Stretch>> {
    let stretches = stretches(lanes, recent);
    let portions = stretches.chunks(LANES_AT_ONCE);
    portions.map(<[Stretch]>::to_vec).collect()
}

/// Adds to each lane from where on it can be recounted, and lanes that only the ledger knows.
#[must_use]
fn stretches(lanes: Vec<Lane>, recent: Vec<RecentRow>) -> Vec<Stretch> {
    let mut recent: HashMap<(String, u64), RecentRow> = recent
        .into_iter()
        .map(|row| ((row.topic.clone(), row.partition), row))
        .collect();
    let mut stretches: Vec<Stretch> = lanes
        .into_iter()
        .map(|lane| {
            let recent = recent.remove(&(lane.topic.clone(), lane.partition));
            Stretch::of(lane, recent.as_ref())
        })
        .collect();
    let mut unknown: Vec<RecentRow> = recent.into_values().collect();
    unknown.sort_by(|one, other| (&one.topic, one.partition).cmp(&(&other.topic, other.partition)));
    stretches.extend(unknown.into_iter().map(|row| {
        let lane = Lane {
            topic: row.topic.clone(),
            partition: row.partition,
            first_offset: row.first,
            next_offset: row.first,
            known_until: Some(row.first),
        };
        Stretch::of(lane, Some(&row))
    }));
    stretches
}

impl Stretch {
    fn of(lane: Lane, recent: Option<&RecentRow>) -> Self {
        let begins = recent.map_or(u64::MAX, |row| row.first);
        let ends = recent.map_or(0, |row| row.last.saturating_add(1));
        Self {
            recounted_from: begins.min(lane.next_offset).max(lane.first_offset),
            forgotten: lane
                .known_until
                .map_or(0, |known| ends.saturating_sub(known)),
            lane,
        }
    }
}

/// The counts of all rows, with as many offsets as they can have after a look at the latest.
#[must_use]
pub fn with_latest(counted: Vec<CountedRow>, latest: Vec<RecountedRow>) -> Vec<RecountedRow> {
    let repeated: HashMap<_, _> = latest
        .into_iter()
        .map(|row| {
            let repeated = row.rows().saturating_sub(row.offsets);
            ((row.topic, row.partition), repeated)
        })
        .collect();
    let row = |row: CountedRow| {
        let key = (row.topic.clone(), row.partition);
        let counted = RecountedRow {
            topic: row.topic,
            partition: row.partition,
            accepted: row.accepted,
            duplicate: row.duplicate,
            dead_lettered: row.dead_lettered,
            offsets: 0,
        };
        let repeated = repeated.get(&key).copied().unwrap_or_default();
        RecountedRow {
            offsets: counted.rows().saturating_sub(repeated),
            ..counted
        }
    };
    counted.into_iter().map(row).collect()
}

impl RecountedRow {
    fn rows(&self) -> u64 {
        self.accepted + self.duplicate + self.dead_lettered
    }
}

/// The accounts of all lanes.
#[must_use]
pub fn assemble(
    stretches: Vec<Stretch>,
    vouched: Vec<VouchedRow>,
    recounted: Vec<RecountedRow>,
    gaps: Vec<GapRow>,
) -> Vec<Account> {
    let mut vouched: HashMap<_, _> = vouched
        .into_iter()
        .map(|row| ((row.topic.clone(), row.partition), row))
        .collect();
    let mut recounted: HashMap<_, _> = recounted
        .into_iter()
        .map(|row| ((row.topic.clone(), row.partition), row))
        .collect();
    let mut gaps_of = HashMap::<(String, u64), Vec<GapRow>>::new();
    for row in gaps {
        gaps_of
            .entry((row.topic.clone(), row.partition))
            .or_default()
            .push(row);
    }
    let account = |stretch: Stretch| {
        let key = (stretch.lane.topic.clone(), stretch.lane.partition);
        let told = vouched.remove(&key).unwrap_or_default();
        let counted = recounted.remove(&key).unwrap_or_default();
        Account::of(
            stretch,
            &told,
            &counted,
            gaps_of.remove(&key).unwrap_or_default(),
        )
    };
    stretches.into_iter().map(account).collect()
}

impl Account {
    fn of(stretch: Stretch, told: &VouchedRow, counted: &RecountedRow, gaps: Vec<GapRow>) -> Self {
        let Stretch {
            lane,
            recounted_from,
            forgotten,
        } = stretch;
        let rows = counted.rows();
        let gap_offsets: std::collections::BTreeMap<String, u64> = gaps
            .iter()
            .map(|row| (row.cause.clone(), row.offsets))
            .collect();
        let (accepted, duplicate) = (
            told.accepted + counted.accepted,
            told.duplicate + counted.duplicate,
        );
        let dead_lettered = told.dead_lettered + counted.dead_lettered;
        let in_gaps: u64 = gap_offsets.values().sum();
        let verdicts = [accepted, duplicate, dead_lettered, in_gaps]
            .map(i128::from)
            .iter()
            .sum::<i128>();
        let missing = i128::from(lane.next_offset) - i128::from(lane.first_offset) - verdicts;
        let repeated = rows.saturating_sub(counted.offsets);
        let lost = gap_offsets
            .get(GapCause::Lost.as_str())
            .is_some_and(|offsets| *offsets > 0);
        Self {
            topic: lane.topic,
            partition: lane.partition,
            first_offset: lane.first_offset,
            next_offset: lane.next_offset,
            accepted,
            duplicate,
            dead_lettered,
            gaps: shown(gaps),
            gap_offsets,
            balanced: missing == 0 && repeated == 0 && forgotten == 0 && !lost,
            missing,
            repeated,
            forgotten,
            recounted_from,
        }
    }
}

/// The gaps that are shown: lost ones first, then the latest.
fn shown(rows: Vec<GapRow>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = rows
        .into_iter()
        .flat_map(|row| {
            let cause = row.cause;
            row.latest
                .into_iter()
                .map(move |(first_offset, last_offset)| Gap {
                    first_offset,
                    last_offset,
                    cause: cause.clone(),
                })
        })
        .collect();
    gaps.sort_by_key(|gap| {
        (
            gap.cause != GapCause::Lost.as_str(),
            std::cmp::Reverse(gap.first_offset),
        )
    });
    gaps.truncate(usize::try_from(SHOWN_GAPS).unwrap_or(usize::MAX));
    gaps
}

#[cfg(test)]
mod tests;
