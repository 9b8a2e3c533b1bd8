//! The ledger of a batch, and the records that were not accepted.

use crate::judge::{CODEC, Counts, Judged};
use event_store::{
    Buffers,
    fence::Fence,
    native::{Block, BlockError, Body, Col, ColumnType, Int64, Text, UInt32, UInt64},
};
use metadata_store::batches::Range;

/// An insert into one of the tables about verdicts.
pub(super) struct VerdictInsert {
    /// The table.
    pub table: &'static str,
    /// A Native block.
    pub body: Body,
    input: String,
    columns: String,
}

impl VerdictInsert {
    fn new(table: &'static str, block: &mut Block) -> Result<Self, BlockError> {
        let columns = block.column_names().collect::<Vec<_>>().join(", ");
        Ok(Self {
            table,
            body: block.take(&Buffers::default())?,
            input: block.input(),
            columns,
        })
    }

    /// The statement.
    pub(super) fn statement(&self, database: &str) -> String {
        format!(
            "INSERT INTO {database}.{} (batch, decided_at, {columns}) \
             SELECT {{batch:UUID}}, {{decided_at:DateTime64(3, 'UTC')}}, {columns} FROM {} WHERE {}",
            self.table,
            self.input,
            Fence::predicate(database),
            columns = self.columns,
        )
    }
}

/// The inserts of a batch: its ledger first, then those that have rows.
pub(super) fn inserts(judged: &Judged) -> Result<Vec<VerdictInsert>, BlockError> {
    // nothing is left of a batch all of whose ranges were parked
    if judged.ranges.is_empty() {
        return Ok(Vec::new());
    }
    let mut inserts = vec![ledger(judged)?];
    if judged
        .ranges
        .iter()
        .any(|range| !range.verdicts.gaps.is_empty())
    {
        inserts.push(gaps(judged)?);
    }
    if !judged.dead.is_empty() {
        inserts.push(dead_letters(judged)?);
    }
    if !judged.duplicate_ids.is_empty() {
        inserts.push(duplicates(judged)?);
    }
    Ok(inserts)
}

struct LaneColumns {
    topic: Col<Text>,
    partition: Col<UInt32>,
}

impl LaneColumns {
    fn new(block: &mut Block) -> Self {
        Self {
            topic: block.add("kafka_topic", ColumnType::low_cardinality_string()),
            partition: block.add("kafka_partition", ColumnType::uint32()),
        }
    }

    fn set(&self, block: &mut Block, range: &Range) {
        block.set(self.topic, range.lane.topic.as_str());
        block.set(
            self.partition,
            u32::try_from(range.lane.partition).unwrap_or_default(),
        );
    }
}

fn offset(column: Col<UInt64>, block: &mut Block, offset: i64) {
    block.set(column, u64::try_from(offset).unwrap_or_default());
}

/// What the batch promises, whole: the ledger is the first of a batch to be written, and tells it should PostgreSQL
/// forget.
struct IntentColumns {
    codec: Col<Int64>,
    dedup_window: Col<Int64>,
    age_limits: Col<Text>,
    hash: Col<Int64>,
    verdicts: Col<Text>,
}

impl IntentColumns {
    fn new(block: &mut Block) -> Self {
        Self {
            codec: block.add("codec", ColumnType::int64()),
            dedup_window: block.add("dedup_window", ColumnType::int64()),
            age_limits: block.add("age_limits", ColumnType::string()),
            hash: block.add("hash", ColumnType::int64()),
            verdicts: block.add("verdicts", ColumnType::string()),
        }
    }

    fn set(&self, block: &mut Block, judged: &Judged, range: &Range) {
        block.set(self.codec, i64::from(CODEC));
        block.set(self.dedup_window, judged.dedup_window);
        block.set(self.age_limits, judged.stored_limits().to_string().as_str());
        block.set(self.hash, range.hash);
        let verdicts = serde_json::json!(range.verdicts);
        block.set(self.verdicts, verdicts.to_string().as_str());
    }
}

fn ledger(judged: &Judged) -> Result<VerdictInsert, BlockError> {
    let mut block = Block::new();
    let lane = LaneColumns::new(&mut block);
    let names = [
        "first_offset",
        "last_offset",
        "accepted",
        "duplicate",
        "dead_lettered",
        "gap_offsets",
    ];
    let columns = names.map(|name| block.add(name, ColumnType::uint64()));
    let intent = IntentColumns::new(&mut block);
    for (range, counts) in judged.ranges.iter().zip(&judged.counts) {
        lane.set(&mut block, range);
        for (column, value) in columns.into_iter().zip(counted(range, counts)) {
            block.set(column, value);
        }
        intent.set(&mut block, judged, range);
        block.finish_row();
    }
    VerdictInsert::new("ingest_ledger", &mut block)
}

/// First and last offset, accepted, duplicate and dead-lettered records, offsets without a record.
fn counted(range: &Range, counts: &Counts) -> [u64; 6] {
    let unsigned = |offset: i64| u64::try_from(offset).unwrap_or_default();
    let gaps = range.verdicts.gaps.iter();
    let gaps: i64 = gaps.map(|gap| gap.hi - gap.lo + 1).sum();
    [
        unsigned(range.lo),
        unsigned(range.hi),
        counts.accepted,
        counts.duplicate,
        counts.dead_lettered,
        unsigned(gaps),
    ]
}

fn gaps(judged: &Judged) -> Result<VerdictInsert, BlockError> {
    let mut block = Block::new();
    let lane = LaneColumns::new(&mut block);
    let first = block.add("first_offset", ColumnType::uint64());
    let last = block.add("last_offset", ColumnType::uint64());
    let cause = block.add("cause", ColumnType::low_cardinality_string());
    for range in &judged.ranges {
        for gap in &range.verdicts.gaps {
            lane.set(&mut block, range);
            offset(first, &mut block, gap.lo);
            offset(last, &mut block, gap.hi);
            block.set(cause, gap.cause.as_str());
            block.finish_row();
        }
    }
    VerdictInsert::new("ingest_gaps", &mut block)
}

fn dead_letters(judged: &Judged) -> Result<VerdictInsert, BlockError> {
    let mut block = Block::new();
    let reason = block.add("reason", ColumnType::low_cardinality_string());
    let path = block.add("path", ColumnType::string());
    let detail = block.add("detail", ColumnType::string());
    let lane = LaneColumns::new(&mut block);
    let at = block.add("kafka_offset", ColumnType::uint64());
    let timestamp = block.add("kafka_timestamp", ColumnType::datetime64());
    let key = block.add("kafka_key", ColumnType::string());
    let payload = block.add("payload", ColumnType::string());
    for letter in &judged.dead {
        let (Some(range), Some((records, record))) =
            (judged.ranges.get(letter.lane), judged.record_of(letter))
        else {
            continue;
        };
        block.set(reason, letter.rejection.reason.as_str());
        block.set(path, letter.rejection.path.as_str());
        block.set(detail, letter.rejection.detail.as_str());
        lane.set(&mut block, range);
        offset(at, &mut block, record.offset);
        block.set(timestamp, record.timestamp_ms);
        block.set(key, records.key(record));
        block.set(payload, records.value(record));
        block.finish_row();
    }
    VerdictInsert::new("dead_letters", &mut block)
}

fn duplicates(judged: &Judged) -> Result<VerdictInsert, BlockError> {
    let mut block = Block::new();
    let lane = LaneColumns::new(&mut block);
    let at = block.add("kafka_offset", ColumnType::uint64());
    let repeats = block.add("repeats_offset", ColumnType::uint64());
    let event_id = block.add("event_id", ColumnType::uuid());
    let found = judged.ranges.iter().flat_map(|range| {
        range
            .verdicts
            .duplicates
            .iter()
            .map(move |pair| (range, pair))
    });
    for ((range, &(duplicate, original)), id) in found.zip(&judged.duplicate_ids) {
        lane.set(&mut block, range);
        offset(at, &mut block, duplicate);
        offset(repeats, &mut block, original);
        block.set(event_id, *id);
        block.finish_row();
    }
    VerdictInsert::new("duplicates", &mut block)
}
