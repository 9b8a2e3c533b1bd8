//! Which parts of a batch are there.

use super::{Target, Witness};
use crate::{
    judge::{DomainInsert, Judged},
    share::Share,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use event_store::{Params, Store, StoreError};
use metadata_store::LaneId;
use shared_schema::Domain;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// For how long after its `decided_at` a batch may be looked for. Its marks leave the aggregates after 21 days (`marked_at`
/// in the migrations 0007 and 0012): from then on it looks missing there, and a repair would count all of it again. A day
/// is left for clocks that differ, and for a repair that is under way. What else tells of a batch stays for longer: the
/// settlements for 104 days, the ledger for ever.
pub(crate) const TOLD_FOR: TimeDelta = TimeDelta::days(20);

/// The earliest `decided_at` of a batch of which ClickHouse still tells what is there.
pub(crate) fn told_since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TOLD_FOR
}

/// The partitions of a table in which the batch's rows of a domain are, as far as they are of the judged lanes.
pub(super) async fn partitions(
    store: &Store,
    target: &Target,
    judged: &Judged,
    domain: Domain,
) -> Result<BTreeSet<String>, StoreError> {
    let lanes = judged.raw.lanes.iter();
    let lanes = lanes.filter(|lane| lane.source.domain == domain);
    let lanes = lanes.map(|lane| &lane.lane);
    if target.witness == Witness::Mark {
        let marks = judged.share.marks(judged.id, domain, lanes);
        let params = Params::new().with("marks", marks.as_slice());
        return select(store, target, "mark IN {marks:Array(UUID)}", params).await;
    }
    if target.names_partitions() {
        let (condition, params) = of_lanes(judged.id, lanes);
        return select(store, target, &condition, params).await;
    }
    if let Share::Returned { .. } = judged.share {
        // Its rows look like its neighbours'. Such a table is read so that a row which comes again changes nothing.
        return Ok(BTreeSet::new());
    }
    let condition = "batch = {batch:UUID} AND kafka_topic IN {topics:Array(String)}";
    let topics: BTreeSet<&str> = lanes.map(|lane| lane.topic.as_str()).collect();
    let topics: Vec<&str> = topics.into_iter().collect();
    let params = Params::new()
        .with("batch", judged.id)
        .with("topics", topics.as_slice());
    select(store, target, condition, params).await
}

/// The condition for a batch's rows that are of these lanes.
pub(super) fn of_lanes<'a>(
    batch: Uuid,
    lanes: impl Iterator<Item = &'a LaneId>,
) -> (String, Params) {
    let mut topics: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for lane in lanes {
        let partition = u64::try_from(lane.partition).unwrap_or_default();
        topics.entry(&lane.topic).or_default().push(partition);
    }
    let mut places = vec!["false".to_owned()];
    let mut params = Params::new().with("batch", batch);
    for (index, (topic, partitions)) in topics.iter().enumerate() {
        places.push(format!(
            "(kafka_topic = {{topic_{index}:String}} AND kafka_partition IN {{partitions_{index}:Array(UInt32)}})"
        ));
        params = params
            .with(&format!("topic_{index}"), *topic)
            .with(&format!("partitions_{index}"), partitions.as_slice());
    }
    let condition = format!("batch = {{batch:UUID}} AND ({})", places.join(" OR "));
    (condition, params)
}

/// The partitions of an aggregate in which the sentinels of an insert are.
pub async fn marked_partitions(
    store: &Store,
    target: &Target,
    mark: Uuid,
) -> Result<BTreeSet<String>, StoreError> {
    select(
        store,
        target,
        "mark = {mark:UUID}",
        Params::new().with("mark", mark),
    )
    .await
}

async fn select(
    store: &Store,
    target: &Target,
    condition: &str,
    params: Params,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT _partition_id FROM {}.{} WHERE {condition}",
        store.database(),
        target.table
    );
    let found: Vec<String> = store
        .query(&sql)
        .params(&params)
        .named("presence of a batch")
        .fetch_all()
        .await?;
    Ok(found.into_iter().collect())
}

/// Whether nothing can be missing. Of a table without sentinels that cannot be told: a repair offers it all rows
/// that are not in a partition found present.
pub(super) fn is_complete(
    target: &Target,
    insert: &DomainInsert,
    present: &BTreeSet<String>,
) -> bool {
    target.witness == Witness::Mark && expected(target, &insert.months).is_subset(present)
}

/// The partitions of an aggregate in which an insert over these months must show.
pub fn expected(target: &Target, months: &BTreeSet<NaiveDate>) -> BTreeSet<String> {
    if target.partition_key.is_empty() {
        return BTreeSet::from(["all".to_owned()]);
    }
    months.iter().map(partition_id).collect()
}

fn partition_id(month: &NaiveDate) -> String {
    month.format("%Y%m").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(witness: Witness, partition_key: &str) -> Target {
        Target {
            table: "t".to_owned(),
            columns: Vec::new(),
            select: String::new(),
            witness,
            partition_key: partition_key.to_owned(),
        }
    }

    fn insert(months: &[(i32, u32)]) -> DomainInsert {
        let months = months
            .iter()
            .filter_map(|&(year, month)| NaiveDate::from_ymd_opt(year, month, 1))
            .collect();
        DomainInsert {
            domain: Domain::Booking,
            body: Vec::new().into(),
            months,
            hours: BTreeSet::new(),
        }
    }

    #[test]
    fn a_marked_table_is_complete_when_every_month_has_its_sentinel() {
        let target = target(Witness::Mark, "toYYYYMM(slot)");
        let insert = insert(&[(2026, 9), (2026, 10)]);
        assert!(!is_complete(
            &target,
            &insert,
            &BTreeSet::from(["202610".to_owned()])
        ));
        assert!(is_complete(
            &target,
            &insert,
            &BTreeSet::from(["202609".to_owned(), "202610".to_owned()])
        ));
    }

    #[test]
    fn a_table_that_is_not_partitioned_has_one_part_for_all_months() {
        let target = target(Witness::Mark, "");
        assert!(is_complete(
            &target,
            &insert(&[(2026, 9), (2026, 10)]),
            &BTreeSet::from(["all".to_owned()])
        ));
    }

    #[test]
    fn a_table_without_sentinels_is_never_known_to_be_complete() {
        let target = target(Witness::Batch, "toYYYYMM(event_timestamp)");
        assert!(!is_complete(
            &target,
            &insert(&[(2026, 9)]),
            &BTreeSet::from(["202609".to_owned()])
        ));
    }
}
