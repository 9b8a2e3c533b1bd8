//! What was taken for a repetition, and what was not.

use chrono::{DateTime, Utc};
use event_store::Params;

use super::Day;
use crate::{
    comparison::{Comparison, Extra},
    facts::{OF_THE_DAY, PLACE, PLACED},
};

/// `duplicates`: what was taken for a repetition since then repeats an accepted event before it.
pub(super) fn of_accepted(since: DateTime<Utc>) -> Comparison {
    const REPEATS: &str = "'repeats an accepted event before it' AS value";
    const DECIDED: &str = "decided_at > {since:DateTime64(3, 'UTC')}";
    let expected = format!(
        "SELECT {PLACE} AS key, {REPEATS}, {PLACE} AS place FROM duplicates WHERE {DECIDED}"
    );
    let found = format!(
        "SELECT (toString(repetition.kafka_topic), repetition.kafka_partition, repetition.kafka_offset) AS key, {REPEATS}
         FROM (SELECT * FROM duplicates WHERE {DECIDED}) AS repetition
         INNER JOIN
         (
            SELECT {PLACED}, event_id FROM events_raw
            WHERE ({PLACED}) IN
                (SELECT kafka_topic, kafka_partition, repeats_offset FROM duplicates WHERE {DECIDED})
         ) AS original
         ON original.kafka_topic = repetition.kafka_topic AND original.kafka_partition = repetition.kafka_partition
            AND original.kafka_offset = repetition.repeats_offset AND original.event_id = repetition.event_id
         WHERE original.kafka_offset < repetition.kafka_offset"
    );
    Comparison {
        subject: "duplicates".to_owned(),
        expected,
        found,
        extra: Extra::Wrong,
        params: Params::new().with("since", since),
    }
}

/// No event of the day was accepted twice within the window in which repetitions are looked for: the one that the range
/// of the later one was judged by.
pub(super) fn none_accepted(day: &Day) -> Comparison {
    let expected = "SELECT '' AS key, '' AS value, '' AS place WHERE false".to_owned();
    let found = format!(
        "SELECT (topic, kafka_partition, offset) AS key, 'was accepted before, at ' || toString(before) AS value
         FROM
         (
            SELECT topic, kafka_partition, offset, before
            FROM
            (
                SELECT toString(kafka_topic) AS topic, kafka_partition, event_id, arraySort(groupArray(kafka_offset)) AS offsets
                FROM events_raw WHERE {OF_THE_DAY} GROUP BY topic, kafka_partition, event_id HAVING count() > 1
            )
            ARRAY JOIN arrayPopFront(offsets) AS offset, arrayPopBack(offsets) AS before
         ) AS pair
         ASOF INNER JOIN
         (
            SELECT toString(kafka_topic) AS topic, kafka_partition, first_offset, dedup_window FROM ingest_ledger
         ) AS range
         ON range.topic = pair.topic AND range.kafka_partition = pair.kafka_partition AND range.first_offset <= pair.offset
         WHERE toInt64(pair.offset - pair.before) <= range.dedup_window"
    );
    day.comparison("repetitions", expected, found)
}
