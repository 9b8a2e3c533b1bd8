//! `/pipeline/dead-letters`: the records that are no event, the latest first, and why. Their bytes may hold names and
//! phone numbers: they are read only where they are asked for.

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use shared_schema::ReasonCode;
use utoipa::ToSchema;

use crate::{
    cursor::{Cursor, cut},
    query::{Parameters, Query},
    time::{DateRange, clamped},
};

/// Which dead letters are asked for.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Of one reason only.
    pub reason: Option<ReasonCode>,
    /// Of one topic only.
    pub topic: Option<String>,
    /// Decided about in this range.
    pub range: DateRange,
    /// After the last one of the page before.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: u64,
    /// With keys and values.
    pub with_bytes: bool,
}

/// A record that is no event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadLetter {
    /// The reason code.
    #[schema(example = "missing_field")]
    pub reason: String,
    /// JSON path of the value at fault.
    #[schema(example = "$.total_price")]
    pub path: String,
    /// What would have been right.
    pub detail: String,
    /// The topic that it was read from.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: u64,
    /// When it arrived at the broker.
    pub kafka_timestamp: DateTime<Utc>,
    /// When it was decided about.
    pub decided_at: DateTime<Utc>,
    /// Bytes of its value.
    pub bytes: u64,
    /// Its key in Base64, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "byte")]
    pub key: Option<String>,
    /// Its value in Base64, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "byte")]
    pub value: Option<String>,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page {
    /// The latest first.
    pub dead_letters: Vec<DeadLetter>,
    /// To be sent as `cursor` for the next page; `null` on the last.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A row of the answer.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct DeadLetterRow {
    reason: String,
    path: String,
    detail: String,
    topic: String,
    partition: u32,
    offset: u64,
    kafka_ms: i64,
    decided_ms: i64,
    bytes: u64,
    key: Option<String>,
    value: Option<String>,
}

/// One page and the first row of the next; the rows are [`DeadLetterRow`]s.
#[must_use]
pub fn query(filter: &Filter) -> Query {
    let mut parameters = Parameters::default();
    let mut conditions = vec![
        format!(
            "decided_at >= {}",
            parameters.time("start", clamped(filter.range.start()))
        ),
        format!(
            "decided_at < {}",
            parameters.time("end", clamped(filter.range.end()))
        ),
    ];
    if let Some(reason) = filter.reason {
        conditions.push(format!(
            "reason = {}",
            parameters.text("reason", reason.as_str())
        ));
    }
    if let Some(topic) = &filter.topic {
        conditions.push(format!("kafka_topic = {}", parameters.text("topic", topic)));
    }
    if let Some(after) = &filter.after {
        conditions.push(after.condition("decided_at", &mut parameters));
    }
    let limit = parameters.number("limit", filter.limit.saturating_add(1));
    let shown = |column: &str| match filter.with_bytes {
        true => format!("toNullable(base64Encode({column}))"),
        false => "CAST(NULL, 'Nullable(String)')".to_owned(),
    };
    parameters.into_query(format!(
        "SELECT toString(reason) AS reason, path, detail, toString(kafka_topic) AS topic, \
         kafka_partition AS partition, kafka_offset AS offset, \
         toUnixTimestamp64Milli(kafka_timestamp) AS kafka_ms, \
         toUnixTimestamp64Milli(decided_at) AS decided_ms, length(payload) AS bytes, \
         {} AS key, {} AS value\n\
         FROM dead_letters\n\
         WHERE {}\n\
         ORDER BY decided_at DESC, kafka_topic DESC, kafka_partition DESC, kafka_offset DESC\n\
         LIMIT {limit}",
        shown("kafka_key"),
        shown("payload"),
        conditions.join(" AND "),
    ))
}

/// The topics that have dead letters; the rows are texts.
#[must_use]
pub fn topics() -> Query {
    Query {
        sql: "SELECT DISTINCT toString(kafka_topic) AS topic\nFROM dead_letters\nORDER BY topic"
            .to_owned(),
        parameters: Vec::new(),
    }
}

/// The page that the rows make.
#[must_use]
pub fn assemble(filter: &Filter, mut rows: Vec<DeadLetterRow>) -> Page {
    let next_cursor = cut(&mut rows, filter.limit, DeadLetterRow::place);
    Page {
        dead_letters: rows.into_iter().map(DeadLetter::of).collect(),
        next_cursor,
    }
}

impl DeadLetterRow {
    fn place(&self) -> Cursor {
        Cursor {
            at_ms: self.decided_ms,
            partition: self.partition,
            offset: self.offset,
            topic: self.topic.clone(),
        }
    }
}

impl DeadLetter {
    fn of(row: DeadLetterRow) -> Self {
        Self {
            reason: row.reason,
            path: row.path,
            detail: row.detail,
            topic: row.topic,
            partition: row.partition,
            offset: row.offset,
            kafka_timestamp: DateTime::from_timestamp_millis(row.kafka_ms).unwrap_or_default(),
            decided_at: DateTime::from_timestamp_millis(row.decided_ms).unwrap_or_default(),
            bytes: row.bytes,
            key: row.key,
            value: row.value,
        }
    }
}

#[cfg(test)]
mod tests;
