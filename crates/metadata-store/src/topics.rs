//! What topics carry, as those say who read them.

use crate::{Pool, StoreError, schema::carried_topic};
use diesel::{ExpressionMethods, QueryDsl, insert_into};
use diesel_async::RunQueryDsl;
use shared_schema::{Domain, Subscriptions};
use std::collections::{BTreeMap, BTreeSet};

/// Says what the topics carry that the caller is going to read. To be said before anything of them is stored.
pub async fn announce(pool: &Pool, read: &Subscriptions) -> Result<(), StoreError> {
    let operation = "announce topics";
    let mut connection = pool.get(operation).await?;
    let rows: Vec<_> = read
        .iter()
        .map(|source| {
            (
                carried_topic::topic.eq(&source.topic),
                carried_topic::domain.eq(source.domain.as_str()),
            )
        })
        .collect();
    insert_into(carried_topic::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(&mut connection)
        .await
        .map(drop)
        .map_err(|source| StoreError::Query { operation, source })
}

/// What each topic carries, or has carried since ingestors say so. One that no ingestor has announced is absent.
pub async fn carried(pool: &Pool) -> Result<BTreeMap<String, BTreeSet<Domain>>, StoreError> {
    let operation = "read what topics carry";
    let mut connection = pool.get(operation).await?;
    let rows: Vec<(String, String)> = carried_topic::table
        .select((carried_topic::topic, carried_topic::domain))
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    let mut carried = BTreeMap::<String, BTreeSet<Domain>>::new();
    for (topic, domain) in rows {
        // a domain that only a later version knows has no table here
        let domain = Domain::parse(&domain);
        carried.entry(topic).or_default().extend(domain);
    }
    Ok(carried)
}
