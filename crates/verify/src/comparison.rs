use clickhouse::Row;
use event_store::{Params, Store, StoreError};
use serde::Deserialize;

/// Differences that an attempt brings back at most.
pub(crate) const SHOWN: usize = 500;

/// A table, and the same from the stored rows.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    /// What is compared.
    pub(crate) subject: String,
    /// Recomputed: a statement with the columns `key`, `value` and `place` (topic, partition, offset).
    pub(crate) expected: String,
    /// Stored: a statement with the columns `key` and `value`.
    pub(crate) found: String,
    /// What may be found beyond what is expected.
    pub(crate) extra: Extra,
    /// The values of the places in both.
    pub(crate) params: Params,
}

/// What may be found beyond what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extra {
    /// Nothing.
    Wrong,
    /// Keys whose events have expired.
    Expired,
}

/// A key whose two sides differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference {
    pub(crate) key: String,
    pub(crate) expected: String,
    pub(crate) found: String,
    pub(crate) place: String,
}

/// What one look at both sides saw.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// How many keys there are.
    pub(crate) keys: u64,
    /// Those that differ, or the first [`SHOWN`] of them.
    pub(crate) different: Vec<Difference>,
    /// Whether more differ: of a key that is not among them nothing is known then.
    pub(crate) cut_short: bool,
}

#[derive(Clone, Debug, Row, Deserialize)]
struct ComparedRow {
    keys: u64,
    wrong: u64,
    different: Vec<(String, Vec<String>, Vec<String>, String)>,
}

impl Comparison {
    /// Compares both sides in one statement, so that what it sees of them is moments apart.
    pub(crate) async fn attempt(&self, store: &Store) -> Result<Attempt, StoreError> {
        let query = store
            .query(&self.statement())
            .params(&self.params)
            .named(&self.subject);
        let row: ComparedRow = query.fetch_one().await?;
        let different: Vec<Difference> = row
            .different
            .into_iter()
            .map(|(key, expected, found, place)| Difference {
                key,
                expected: expected.join(" and "),
                found: found.join(" and "),
                place,
            })
            .collect();
        Ok(Attempt {
            keys: row.keys,
            cut_short: usize::try_from(row.wrong).map_or(true, |wrong| wrong > different.len()),
            different,
        })
    }

    fn statement(&self) -> String {
        let wrong = match self.extra {
            Extra::Wrong => "expected != found",
            Extra::Expired => "notEmpty(expected) AND expected != found",
        };
        format!(
            "SELECT count() AS keys, countIf({wrong}) AS wrong, groupArraySortedIf({SHOWN})((key, expected, found, place), {wrong}) AS different
FROM
(
    SELECT key, groupArrayIf(value, side = 0) AS expected, groupArrayIf(value, side = 1) AS found,
        anyIf(place, side = 0) AS place
    FROM
    (
        SELECT toString(key) AS key, toString(value) AS value, toString(place) AS place, 0 AS side FROM ({})
        UNION ALL
        SELECT toString(key) AS key, toString(value) AS value, '' AS place, 1 AS side FROM ({})
    )
    GROUP BY key
)",
            self.expected, self.found
        )
    }
}
