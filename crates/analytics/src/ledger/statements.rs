use chrono::{DateTime, Utc};

use super::{SHOWN_GAPS, Stretch, TOLD_APART, recounted_since};
use crate::query::{Parameters, Query};

/// Between which offsets lie those that were decided about recently; the rows are [`RecentRow`](super::RecentRow)s.
#[must_use]
pub fn recent(now: DateTime<Utc>) -> Query {
    let mut parameters = Parameters::default();
    let since = parameters.time("since", recounted_since(now));
    parameters.into_query(format!(
        "SELECT toString(kafka_topic) AS topic, toUInt64(kafka_partition) AS partition, \
         min(first_offset) AS first, max(last_offset) AS last\n\
         FROM ingest_ledger\n\
         WHERE decided_at > {since}\n\
         GROUP BY topic, partition"
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
        "SELECT topic, partition, sum(accepted) AS accepted, sum(duplicate) AS duplicate, \
         sum(dead_lettered) AS dead_lettered\n\
         FROM (SELECT toString(kafka_topic) AS topic, toUInt64(kafka_partition) AS partition, first_offset, \
         last_offset, accepted, duplicate, dead_lettered FROM ingest_ledger) AS range\n\
         INNER JOIN {lanes} USING (topic, partition)\n\
         WHERE first_offset >= from AND last_offset < until\n\
         GROUP BY topic, partition"
    ))
}

/// Counts the stored rows of the other offsets, and those offsets; the rows are
/// [`RecountedRow`](super::RecountedRow)s. It reads all of their places.
#[must_use]
pub fn recounted(stretches: &[Stretch]) -> Query {
    told_apart(stretches, |stretch| stretch.recounted_from)
}

/// The same of the latest 50,000 offsets of each lane; the rows are [`RecountedRow`](super::RecountedRow)s.
#[must_use]
pub fn latest(stretches: &[Stretch]) -> Query {
    told_apart(stretches, |stretch| {
        let latest = stretch.lane.next_offset.saturating_sub(TOLD_APART);
        latest.max(stretch.recounted_from)
    })
}

/// Counts the stored rows of all offsets that are not vouched for; the rows are [`CountedRow`](super::CountedRow)s.
///
/// Each number is the count of one range of a table's key. The server knows how many rows a part has between two
/// marks, and reads rows only at the ends of the range, however many lie between.
#[must_use]
pub fn counted(stretches: &[Stretch]) -> Query {
    let mut parameters = Parameters::default();
    let ranges = ranges(stretches, |stretch| stretch.recounted_from, &mut parameters);
    let nothing = "SELECT '' AS topic, toUInt64(0) AS partition, toUInt8(0) AS verdict, toUInt64(0) AS stored WHERE false";
    let counts = ranges.iter().flat_map(|range| {
        VERDICTS.map(|(table, verdict)| {
            format!(
                "SELECT {} AS topic, {} AS partition, toUInt8({verdict}) AS verdict, count() AS stored \
                 FROM {table} WHERE {}",
                range.topic, range.partition, range.condition
            )
        })
    });
    let counts: Vec<String> = std::iter::once(nothing.to_owned()).chain(counts).collect();
    parameters.into_query(format!(
        "SELECT topic, partition, sumIf(stored, verdict = 0) AS accepted, \
         sumIf(stored, verdict = 1) AS duplicate, sumIf(stored, verdict = 2) AS dead_lettered\n\
         FROM\n\
         (\n\
         {}\n\
         )\n\
         GROUP BY topic, partition",
        counts.join("\nUNION ALL\n")
    ))
}

/// The tables that hold a row per offset, by what was decided about it.
const VERDICTS: [(&str, u8); 3] = [("events_raw", 0), ("duplicates", 1), ("dead_letters", 2)];

fn told_apart(stretches: &[Stretch], from: impl Fn(&Stretch) -> u64) -> Query {
    let mut parameters = Parameters::default();
    let ranges = ranges(stretches, from, &mut parameters);
    let conditions: Vec<String> = std::iter::once("false".to_owned())
        .chain(
            ranges
                .into_iter()
                .map(|range| format!("({})", range.condition)),
        )
        .collect();
    let within = conditions.join(" OR ");
    let rows = VERDICTS.map(|(table, verdict)| {
        format!(
            "SELECT kafka_topic AS topic, toUInt64(kafka_partition) AS partition, kafka_offset AS offset, \
             toUInt8({verdict}) AS verdict FROM {table} WHERE {within}"
        )
    });
    parameters.into_query(format!(
        "SELECT toString(topic) AS topic, partition, countIf(verdict = 0) AS accepted, \
         countIf(verdict = 1) AS duplicate, countIf(verdict = 2) AS dead_lettered, \
         groupBitmap(offset) AS offsets\n\
         FROM\n\
         (\n\
         {}\n\
         )\n\
         GROUP BY topic, partition",
        rows.join("\nUNION ALL\n")
    ))
}

/// Offsets of a lane in the terms of a statement.
struct Range {
    topic: String,
    partition: String,
    condition: String,
}

/// Each lane's offsets up to its next, as a condition on the key of the tables.
fn ranges(
    stretches: &[Stretch],
    from: impl Fn(&Stretch) -> u64,
    parameters: &mut Parameters,
) -> Vec<Range> {
    let bounds = |stretch: &Stretch| (from(stretch), stretch.lane.next_offset);
    let lanes = Lanes::bind(stretches, bounds, parameters);
    let range = |place: usize| {
        let element = |list: &str| format!("{list}[{place}]");
        let (topic, partition) = (element(&lanes.topics), element(&lanes.partitions));
        let condition = format!(
            "kafka_topic = {topic} AND kafka_partition = {partition} AND kafka_offset >= {} AND kafka_offset < {}",
            element(&lanes.from),
            element(&lanes.until),
        );
        Range {
            topic,
            partition,
            condition,
        }
    };
    (1..=stretches.len()).map(range).collect()
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
        "SELECT topic, partition, cause, toUInt64(sum(last_offset - first_offset + 1)) AS offsets, \
         arrayMap(range -> (range.2, range.3), groupArraySorted({SHOWN_GAPS})((-toInt64(first_offset), \
         first_offset, last_offset))) AS latest\n\
         FROM (SELECT toString(kafka_topic) AS topic, toUInt64(kafka_partition) AS partition, first_offset, \
         last_offset, toString(cause) AS cause FROM ingest_gaps) AS gap\n\
         INNER JOIN {lanes} USING (topic, partition)\n\
         WHERE first_offset >= from AND last_offset < until\n\
         GROUP BY topic, partition, cause"
    ))
}

/// The lanes as a table with the offsets that are asked for.
fn lanes(
    stretches: &[Stretch],
    bounds: impl Fn(&Stretch) -> (u64, u64),
    parameters: &mut Parameters,
) -> String {
    let Lanes {
        topics,
        partitions,
        from,
        until,
    } = Lanes::bind(stretches, bounds, parameters);
    format!(
        "(SELECT lane.1 AS topic, lane.2 AS partition, lane.3 AS from, lane.4 AS until \
         FROM (SELECT arrayJoin(arrayZip({topics}, {partitions}, {from}, {until})) AS lane)) AS lane"
    )
}

/// The places of lists, an element per lane.
struct Lanes {
    topics: String,
    partitions: String,
    from: String,
    until: String,
}

impl Lanes {
    fn bind(
        stretches: &[Stretch],
        bounds: impl Fn(&Stretch) -> (u64, u64),
        parameters: &mut Parameters,
    ) -> Self {
        let lanes = stretches.iter().map(|stretch| &stretch.lane);
        let topics = lanes.clone().map(|lane| lane.topic.clone()).collect();
        let partitions = lanes.map(|lane| lane.partition).collect();
        let (from, until) = stretches.iter().map(bounds).unzip();
        Self {
            topics: parameters.texts("topics", topics),
            partitions: parameters.numbers("partitions", partitions),
            from: parameters.numbers("from", from),
            until: parameters.numbers("until", until),
        }
    }
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
            known_until: Some(100),
        };
        [0, 1]
            .map(|partition| Stretch {
                lane: lane(partition),
                recounted_from: 40 + partition,
                forgotten: 0,
            })
            .into()
    }

    #[test]
    fn only_recent_rows_are_counted() {
        let now = DateTime::parse_from_rfc3339("2024-03-01T00:00:00Z")
            .unwrap()
            .to_utc();
        insta::assert_snapshot!("recent", shown(&recent(now)));
        insta::assert_snapshot!("recounted", shown(&recounted(&two_lanes())));
    }

    #[test]
    fn ranges_of_the_key_are_counted_and_the_latest_offsets_told_apart() {
        insta::assert_snapshot!("counted", shown(&counted(&two_lanes())));
        let mut lanes = two_lanes();
        for stretch in &mut lanes {
            stretch.lane.next_offset = 100_000;
        }
        insta::assert_snapshot!("latest", shown(&latest(&lanes)));
    }

    #[test]
    fn older_offsets_and_gaps_are_summed() {
        insta::assert_snapshot!("vouched", shown(&vouched(&two_lanes())));
        insta::assert_snapshot!("gaps", shown(&gaps(&two_lanes())));
    }
}
