//! The waiting facts of a batch that is repaired: some may wait where it put them, some elsewhere, left over by a settling,
//! and some have their regions. For somebody may have repaired and closed it already, and PostgreSQL have forgotten that.
//!
//! So presence is not asked by batch but by place. A fact is in a waiting table from its insert until its settling is
//! over, under one bucket or two, and from the decision on in the settlements: one that is in neither was never there.
//! Others may settle meanwhile. Whoever looks into the waiting table first, and into the settlements after that, finds
//! each fact in one of them.

use super::{Target, WriteError, Writer};
use crate::{
    batch::LaneRecords,
    judge::{DomainInsert, Judged},
    places::{FIRST_OF_REPAIRS, PLACE, in_ranges, without_region, write_regions},
};
use event_store::{Params, StoreError, fence, fence::Fence};
use metadata_store::LaneId;
use shared_schema::Domain;

/// The places of a batch in one domain, as a condition.
struct Places {
    condition: String,
    params: Params,
}

impl Places {
    fn of<'a>(lanes: impl IntoIterator<Item = &'a LaneRecords>) -> Self {
        let lanes = lanes.into_iter();
        let (condition, params) = in_ranges(lanes.map(|lane| (&lane.lane, lane.lo, lane.hi)));
        Self { condition, params }
    }

    fn settled(&self, database: &str) -> String {
        format!(
            "(SELECT * FROM {database}.settlements WHERE {})",
            self.condition
        )
    }
}

/// The bucket of an attempt, from the life that was begun for it alone: its number may come again.
fn bucket(fence: &Fence) -> u64 {
    FIRST_OF_REPAIRS + (fence.life.as_u64_pair().1 >> 8)
}

impl Writer {
    /// Puts the facts that wait nowhere and have no region into their waiting table, and gives the domain's rows the
    /// regions that were settled before the rows were there.
    pub(super) async fn repair_waiting(
        &self,
        judged: &Judged,
        insert: &DomainInsert,
        target: &Target,
        fence: Fence,
    ) -> Result<(), WriteError> {
        let lanes = judged.raw.lanes.iter();
        let lanes: Vec<&LaneRecords> = lanes
            .filter(|lane| lane.source.domain == insert.domain)
            .collect();
        let waiting = self.waiting_lanes(target, &lanes).await?;
        let others = lanes.iter().filter(|lane| {
            let LaneId { topic, partition } = &lane.lane;
            !waiting.contains(&(topic.clone(), i64::from(*partition)))
        });
        let others: Vec<&LaneRecords> = others.copied().collect();
        if !others.is_empty() {
            self.keep(judged, insert, target, &Places::of(others), fence)
                .await?;
        }
        self.take_regions_over(judged, insert.domain, &Places::of(lanes), fence)
            .await?;
        Ok(())
    }

    /// The lanes of which a fact waits: topic and partition. Facts of a lane come in one part, so none of theirs is
    /// missing; those that do not wait are settled.
    async fn waiting_lanes(
        &self,
        target: &Target,
        lanes: &[&LaneRecords],
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let places = Places::of(lanes.iter().copied());
        let sql = format!(
            "SELECT DISTINCT toString(kafka_topic), toInt64(kafka_partition) FROM {}.{} WHERE {}",
            self.store.database(),
            target.table,
            places.condition
        );
        let query = self.store.query(&sql).params(&places.params);
        query.named("lanes of waiting facts").fetch_all().await
    }

    /// Lets the facts at these places wait that are not settled.
    async fn keep(
        &self,
        judged: &Judged,
        insert: &DomainInsert,
        target: &Target,
        places: &Places,
        fence: Fence,
    ) -> Result<(), WriteError> {
        let source = self.statements.source(insert.domain);
        let database = self.store.database();
        let sql = keep(database, insert.domain, target, source, places);
        let params = places.params.clone().with("bucket", bucket(&fence));
        self.send(judged, insert, fence, sql, &target.table, params)
            .await
    }

    async fn take_regions_over(
        &self,
        judged: &Judged,
        domain: Domain,
        places: &Places,
        fence: Fence,
    ) -> Result<(), StoreError> {
        let database = self.store.database();
        let params = places.params.clone().with("batch", judged.id);
        let settled = places.settled(database);
        let of_the_batch = "batch = {batch:UUID}";
        let count = format!(
            "SELECT count() FROM {database}.{} WHERE {of_the_batch} AND {}",
            domain.events_table(),
            without_region(&settled)
        );
        let query = self.store.query(&count).params(&params);
        let missing: u64 = query.named("rows without their region").fetch_one().await?;
        if missing == 0 {
            return Ok(());
        }
        // not fenced: whenever it arrives, it writes what was settled. Its id is for the kill, so that it does not last
        let sql = write_regions(database, domain, &settled, of_the_batch);
        let id = fence::query_id(judged.id, "regions", fence.attempt);
        let update = self.store.query(&sql).params(&params).query_id(id);
        update.execute().await
    }
}

fn keep(database: &str, domain: Domain, target: &Target, source: &str, places: &Places) -> String {
    let names: Vec<String> = target
        .columns
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let values: Vec<&str> = names
        .iter()
        .map(|name| match name.as_str() {
            "`bucket`" => "{bucket:UInt64}",
            name => name,
        })
        .collect();
    format!(
        "INSERT INTO {database}.{table} ({}) SELECT {} FROM ({}) \
         WHERE ({}) AND ({PLACE}) NOT IN (SELECT {PLACE} FROM {})",
        names.join(", "),
        values.join(", "),
        target.select_from(database, domain, source),
        places.condition,
        places.settled(database),
        table = target.table,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn buckets_of_repairs_are_apart_from_all_others() {
        for life in [Uuid::nil(), Uuid::max()] {
            let attempt = Uuid::nil();
            let bucket = bucket(&Fence { life, attempt });
            assert!(bucket >= FIRST_OF_REPAIRS);
            assert!(i64::try_from(bucket).is_ok());
        }
    }
}
