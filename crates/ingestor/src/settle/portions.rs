//! What waits, in portions that a settling can take at once.

use super::{Settler, sql};
use crate::{places::FIRST_LEFT_OVER, recover::RecoverError, write::WriteError};
use event_store::{Row, StoreError};
use metadata_store::settlings::{Facts, Horizon, Slice};
use serde::Deserialize;
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

/// Buckets of a portion, of all tables: a statement names each of them.
const MOST_BUCKETS: usize = 400;
/// Buckets of one table from which on what goes on waiting is brought together. Each is a part at least, of which a
/// table has not too many; but bringing facts together means to write them anew.
const SCATTERED: usize = 16;

/// A bucket of a waiting table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bucket {
    number: u64,
    table: String,
    facts: u64,
}

/// Buckets, or a slice of one that is too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Portion {
    taken: BTreeMap<String, Vec<u64>>,
    slice: Slice,
}

impl Portion {
    /// A table has so many buckets in it that they should become one.
    fn is_scattered(&self) -> bool {
        self.slice == Slice::WHOLE && self.taken.values().any(|buckets| is_scattered(buckets))
    }

    /// What a settling of this id takes.
    pub(super) fn promise(self, id: Uuid) -> Facts {
        Facts {
            left_over: self.is_scattered().then(|| left_over(id)),
            taken: self.taken.into_iter().collect(),
            slice: self.slice,
        }
    }
}

/// Whether what goes on waiting in these buckets of a table should be brought together.
pub(super) fn is_scattered(buckets: &[u64]) -> bool {
    buckets.len() >= SCATTERED
}

/// A bucket that no other settling has or will have: milliseconds, and chance for clocks that differ.
fn left_over(id: Uuid) -> u64 {
    let (time, chance) = id.as_u64_pair();
    FIRST_LEFT_OVER + ((time >> 16) << 16) + (chance & 0xffff)
}

/// Portions of about `most` facts, the oldest buckets first.
fn portions(mut buckets: Vec<Bucket>, most: u64) -> VecDeque<Portion> {
    buckets.sort_by(|a, b| (a.number, &a.table).cmp(&(b.number, &b.table)));
    let mut portions = VecDeque::new();
    let mut gathered: Vec<Bucket> = Vec::new();
    let mut facts = 0;
    for bucket in buckets {
        let is_full = facts + bucket.facts > most || gathered.len() >= MOST_BUCKETS;
        if is_full && !gathered.is_empty() {
            portions.extend(sliced(std::mem::take(&mut gathered), facts, most));
            facts = 0;
        }
        facts += bucket.facts;
        gathered.push(bucket);
    }
    portions.extend(sliced(gathered, facts, most));
    portions
}

/// The buckets, in so many slices that none of them is too large.
fn sliced(buckets: Vec<Bucket>, facts: u64, most: u64) -> impl Iterator<Item = Portion> {
    let of = facts.div_ceil(most.max(1));
    let mut taken: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for bucket in buckets {
        taken.entry(bucket.table).or_default().push(bucket.number);
    }
    (0..of).map(move |number| Portion {
        taken: taken.clone(),
        slice: Slice { number, of },
    })
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct PartitionRow {
    table: String,
    bucket: String,
    facts: u64,
}

impl PartitionRow {
    fn bucket(self) -> Option<Bucket> {
        Some(Bucket {
            number: self.bucket.parse().ok()?,
            table: self.table,
            facts: self.facts,
        })
    }
}

impl Settler {
    /// Everything that may be taken.
    pub(super) async fn portions(
        &self,
        horizon: Horizon,
    ) -> Result<VecDeque<Portion>, RecoverError> {
        let sql = "SELECT table, partition_id AS bucket, sum(rows) AS facts FROM system.parts \
            WHERE database = currentDatabase() AND startsWith(table, 'waiting_') AND active AND rows > 0 \
            GROUP BY table, partition_id";
        let query = self.store.query(sql).named("waiting buckets");
        let rows: Vec<PartitionRow> = query.fetch_all().await.map_err(WriteError::from)?;
        let closed = u64::try_from(horizon.bucket).unwrap_or_default();
        let may_be_taken =
            |bucket: &Bucket| bucket.number <= closed || bucket.number >= FIRST_LEFT_OVER;
        let buckets = rows.into_iter().filter_map(PartitionRow::bucket);
        Ok(portions(
            buckets.filter(may_be_taken).collect(),
            self.max_facts,
        ))
    }

    /// Whether something is known of at least one of these facts.
    pub(super) async fn has_answers(&self, facts: &Facts) -> Result<bool, RecoverError> {
        let expired = self.expired().await?;
        let params = sql::of_facts(facts).with("expired", expired);
        let sql = sql::has_answers(facts, self.store.database());
        let query = self.store.query(&sql).params(&params);
        let answer: Result<bool, StoreError> = query
            .named("whether facts can be settled")
            .deadline(self.store.config().insert_timeout.get())
            .fetch_one()
            .await;
        Ok(answer.map_err(WriteError::from)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::FIRST_OF_REPAIRS;

    fn bucket(number: u64, table: &str, facts: u64) -> Bucket {
        Bucket {
            number,
            table: table.to_owned(),
            facts,
        }
    }

    fn taken(portion: &Portion) -> Vec<(&str, &[u64])> {
        let taken = portion.taken.iter();
        taken
            .map(|(table, buckets)| (table.as_str(), buckets.as_slice()))
            .collect()
    }

    #[test]
    fn buckets_are_taken_in_their_order_as_long_as_they_fit() {
        let buckets = vec![
            bucket(3, "waiting_trip", 10),
            bucket(1, "waiting_trip", 60),
            bucket(1, "waiting_booking", 40),
            bucket(2, "waiting_trip", 1),
        ];
        let portions = portions(buckets, 100);
        assert_eq!(portions.len(), 2);
        let first: [(&str, &[u64]); 2] = [("waiting_booking", &[1]), ("waiting_trip", &[1])];
        assert_eq!(taken(&portions[0]), first);
        assert_eq!(taken(&portions[1]), [("waiting_trip", &[2, 3][..])]);
        assert!(portions.iter().all(|portion| portion.slice == Slice::WHOLE));
    }

    #[test]
    fn a_bucket_that_is_too_large_is_taken_in_slices() {
        let buckets = vec![bucket(1, "waiting_trip", 250), bucket(2, "waiting_trip", 1)];
        let portions = portions(buckets, 100);
        let slices: Vec<_> = portions.iter().map(|portion| portion.slice).collect();
        let slice = |number| Slice { number, of: 3 };
        assert_eq!(slices, [slice(0), slice(1), slice(2), Slice::WHOLE]);
        assert!(
            portions
                .iter()
                .take(3)
                .all(|portion| taken(portion) == [("waiting_trip", &[1][..])])
        );
    }

    #[test]
    fn only_many_buckets_of_a_table_become_one() {
        let buckets = |count| {
            (0..count)
                .map(|number| bucket(number, "waiting_trip", 1))
                .collect()
        };
        let left_over = |count| {
            let mut portions = portions(buckets(count), 1_000);
            portions
                .pop_front()
                .unwrap()
                .promise(Uuid::now_v7())
                .left_over
        };
        assert_eq!(left_over(15), None);
        assert!(left_over(16).is_some());
    }

    #[test]
    fn no_statement_names_more_buckets_than_fit_into_it() {
        let buckets = (0..1_000).map(|number| bucket(number, "waiting_trip", 1));
        let portions = portions(buckets.collect(), 1_000_000);
        let counts: Vec<_> = portions
            .iter()
            .map(|portion| portion.taken["waiting_trip"].len())
            .collect();
        assert_eq!(counts, [400, 400, 200]);
    }

    #[test]
    fn nothing_waits_in_no_portion() {
        assert!(portions(Vec::new(), 100).is_empty());
    }

    #[test]
    fn the_bucket_of_a_settling_is_apart_from_those_of_time_and_of_repairs() {
        for id in [
            Uuid::now_v7(),
            Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000),
        ] {
            assert!(left_over(id) >= FIRST_LEFT_OVER);
            assert!(left_over(id) < FIRST_OF_REPAIRS);
        }
        assert_ne!(left_over(Uuid::now_v7()), left_over(Uuid::now_v7()));
    }
}
