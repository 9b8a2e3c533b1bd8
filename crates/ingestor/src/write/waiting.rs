//! The waiting facts of a batch that is repaired late: some may wait where it put them, some elsewhere, left over by a
//! settling, and some have their regions.
//!
//! So presence is not asked by batch but by place. A fact is in a waiting table from its insert until its settling is
//! over, under one bucket or two, and from the decision on in the settlements: one that is in neither was never there.

use super::{Target, Targets, WriteError, Writer};
use crate::{
    judge::{DomainInsert, Judged},
    places::{FIRST_OF_REPAIRS, PLACE, in_ranges, without_region, write_regions},
};
use event_store::{Params, StoreError, fence, fence::Fence};
use shared_schema::Domain;

/// The places of a batch in one domain, as a condition.
struct Places {
    condition: String,
    params: Params,
}

impl Places {
    fn of(judged: &Judged, domain: Domain) -> Self {
        let lanes = judged.raw.lanes.iter();
        let lanes = lanes.filter(|lane| lane.source.domain == domain);
        let ranges = lanes.map(|lane| (&lane.lane, lane.lo, lane.hi));
        let (condition, params) = in_ranges(ranges);
        Self { condition, params }
    }

    fn settled(&self, database: &str) -> String {
        format!(
            "(SELECT * FROM {database}.settlements WHERE {})",
            self.condition
        )
    }
}

/// The bucket of an attempt.
fn bucket(fence: &Fence) -> u64 {
    FIRST_OF_REPAIRS + (fence.attempt.as_u64_pair().1 >> 8)
}

impl Writer {
    /// Puts the facts that wait nowhere and have no region into the waiting tables, and gives the domain's rows the
    /// regions that were settled before the rows were there. Nobody may settle meanwhile.
    pub(super) async fn repair_waiting(
        &self,
        judged: &Judged,
        insert: &DomainInsert,
        targets: &Targets,
        fence: Fence,
    ) -> Result<(), WriteError> {
        let places = Places::of(judged, insert.domain);
        for target in targets
            .of(insert.domain)
            .filter(|target| target.is_waiting())
        {
            let source = self.statements.source(insert.domain);
            let sql = keep(
                self.store.database(),
                insert.domain,
                target,
                source,
                &places,
            );
            let params = places.params.clone().with("bucket", bucket(&fence));
            self.send(judged, insert, fence, sql, &target.table, params)
                .await?;
            self.take_regions_over(judged, insert.domain, &places, fence)
                .await?;
        }
        Ok(())
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
         WHERE ({PLACE}) NOT IN (SELECT {PLACE} FROM {database}.{table} WHERE {}) \
           AND ({PLACE}) NOT IN (SELECT {PLACE} FROM {})",
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
        for attempt in [Uuid::nil(), Uuid::max()] {
            let boot = Uuid::nil();
            let bucket = bucket(&Fence { boot, attempt });
            assert!(bucket >= FIRST_OF_REPAIRS);
            assert!(i64::try_from(bucket).is_ok());
        }
    }
}
