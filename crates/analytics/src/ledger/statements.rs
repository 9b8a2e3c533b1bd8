use chrono::{DateTime, TimeDelta, Utc};

use super::{RECOUNTED_DAYS, SHOWN_GAPS, Stretch};
use crate::query::{Parameters, Query};

/// Where the offsets begin that were decided about recently; the rows are [`StartRow`](super::StartRow)s.
#[must_use]
pub fn starts(now: DateTime<Utc>) -> Query {
    let mut parameters = Parameters::default();
    let since = parameters.time("since", now - TimeDelta::days(RECOUNTED_DAYS));
    parameters.into_query(format!(
        "SELECT toString(kafka_topic) AS topic, toUInt64(kafka_partition) AS partition, min(first_offset) AS from\nFROM ingest_ledger\nWHERE decided_at > {since}\nGROUP BY topic, partition"
    ))
}

/// What the ledger tells of the offsets that are not recounted; the rows are [`VouchedRow`](super::VouchedRow)s.
#[must_use]
pub fn vouched(stretches: &[Stretch]) -> Query {
    let mut parameters = Parameters::default();
    let lanes = lanes(
        stretches,
        |stretch| (stretch.lane.first_offset, stretch.recounted_from),
        &mut parameters,
    );
    parameters.into_query(format!(
        "SELECT topic, partition, sum(accepted) AS accepted, sum(duplicate) AS duplicate, sum(dead_lettered) AS dead_lettered\nFROM (SELECT toString(kafka_topic) AS topic, toUInt64(kafka_partition) AS partition, first_offset, last_offset, accepted, duplicate, dead_lettered FROM ingest_ledger) AS range\nINNER JOIN {lanes} USING (topic, partition)\nWHERE first_offset >= from AND last_offset < until\nGROUP BY topic, partition"
    ))
}

/// Counts the stored rows of the other offsets; the rows are [`RecountedRow`](super::RecountedRow)s.
#[must_use]
pub fn recounted(stretches: &[Stretch]) -> Query {
    let mut parameters = Parameters::default();
    let lanes = lanes(
        stretches,
        |stretch| (stretch.recounted_from, stretch.lane.next_offset),
        &mut parameters,
    );
    let part = |table: &str, verdict: u8| {
        format!(
            "SELECT kafka_topic AS topic, toUInt64(kafka_partition) AS partition, kafka_offset AS offset, toUInt8({verdict}) AS verdict FROM {table}"
        )
    };
    let rows = [
        part("events_raw", 0),
        part("duplicates", 1),
        part("dead_letters", 2),
    ]
    .join("\nUNION ALL\n");
    parameters.into_query(format!(
        "SELECT toString(topic) AS topic, partition, countIf(verdict = 0) AS accepted, countIf(verdict = 1) AS duplicate, countIf(verdict = 2) AS dead_lettered, groupBitmap(offset) AS offsets\nFROM\n(\n{rows}\n) AS stored\nINNER JOIN {lanes} USING (topic, partition)\nWHERE offset >= from AND offset < until\nGROUP BY topic, partition"
    ))
}

/// Sums the gaps by cause, with the latest of them; the rows are [`GapRow`](super::GapRow)s.
#[must_use]
pub fn gaps(stretches: &[Stretch]) -> Query {
    let mut parameters = Parameters::default();
    let lanes = lanes(
        stretches,
        |stretch| (stretch.lane.first_offset, stretch.lane.next_offset),
        &mut parameters,
    );
    parameters.into_query(format!(
        "SELECT topic, partition, cause, toUInt64(sum(last_offset - first_offset + 1)) AS offsets, arrayMap(range -> (range.2, range.3), groupArraySorted({SHOWN_GAPS})((-toInt64(first_offset), first_offset, last_offset))) AS latest\nFROM (SELECT toString(kafka_topic) AS topic, toUInt64(kafka_partition) AS partition, first_offset, last_offset, toString(cause) AS cause FROM ingest_gaps) AS gap\nINNER JOIN {lanes} USING (topic, partition)\nWHERE first_offset >= from AND last_offset < until\nGROUP BY topic, partition, cause"
    ))
}

/// The lanes as a table with the offsets that are asked for.
fn lanes(
    stretches: &[Stretch],
    bounds: impl Fn(&Stretch) -> (u64, u64),
    parameters: &mut Parameters,
) -> String {
    let topics = stretches
        .iter()
        .map(|stretch| stretch.lane.topic.clone())
        .collect();
    let partitions = stretches
        .iter()
        .map(|stretch| stretch.lane.partition)
        .collect();
    let (from, until) = stretches.iter().map(bounds).unzip();
    format!(
        "(SELECT lane.1 AS topic, lane.2 AS partition, lane.3 AS from, lane.4 AS until FROM (SELECT arrayJoin(arrayZip({}, {}, {}, {})) AS lane)) AS lane",
        parameters.texts("topics", topics),
        parameters.numbers("partitions", partitions),
        parameters.numbers("from", from),
        parameters.numbers("until", until),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::Lane, tests::shown};

    fn two_lanes() -> Vec<Stretch> {
        let lane = |partition| Lane {
            topic: "openride.events.booking".to_owned(),
            partition,
            first_offset: 5,
            next_offset: 100,
        };
        [0, 1]
            .map(|partition| Stretch {
                lane: lane(partition),
                recounted_from: 40 + partition,
            })
            .into()
    }

    #[test]
    fn only_recent_rows_are_counted() {
        let now = DateTime::parse_from_rfc3339("2024-03-01T00:00:00Z")
            .unwrap()
            .to_utc();
        insta::assert_snapshot!("starts", shown(&starts(now)));
        insta::assert_snapshot!("recounted", shown(&recounted(&two_lanes())));
    }

    #[test]
    fn older_offsets_and_gaps_are_summed() {
        insta::assert_snapshot!("vouched", shown(&vouched(&two_lanes())));
        insta::assert_snapshot!("gaps", shown(&gaps(&two_lanes())));
    }
}
