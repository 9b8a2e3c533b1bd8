//! Ready blocks straight into the input tables: what ClickHouse alone costs.

use crate::{
    account, arguments::Arguments, blocks::Blocks, figure::Figure, merges, rig::Rig,
    traffic::Traffic, usage::between,
};
use anyhow::ensure;
use event_store::{InsertSelect, Params, Store, native::Body};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ingestor::rows::Rows;
use shared_schema::Domain;
use std::{collections::HashMap, time::Instant};
use uuid::Uuid;

/// As many as the ingestor has.
const CONCURRENT_INSERTS: usize = 2;

/// Into everything, and into the tables of events alone.
pub(crate) async fn run(
    rig: &Rig,
    traffic: &Traffic,
    arguments: &Arguments,
) -> anyhow::Result<Vec<Figure>> {
    println!("insert: encoding {} records", traffic.total);
    let blocks = Blocks::encode(rig, traffic, arguments)?;
    let all = rig.database("bench_insert").await?;
    let full = measure(rig, &all, &blocks, "(d) bare insert, all views").await?;
    let plain = rig.database("bench_insert_plain").await?;
    drop_aggregates(&plain).await?;
    let bare = measure(rig, &plain, &blocks, "(d) bare insert, no aggregates").await?;
    Ok(vec![full, bare])
}

async fn measure(rig: &Rig, store: &Store, blocks: &Blocks, label: &str) -> anyhow::Result<Figure> {
    println!(
        "insert into {}: {} events",
        store.database(),
        blocks.events()
    );
    merges::come_to_rest(store).await?;
    let statements = statements(store.database());
    let watched = rig.servers()?.and_this();
    let before = watched.cpu();
    let began = Instant::now();
    for batch in &blocks.batches {
        let id = Uuid::now_v7();
        let known = batch
            .inserts
            .iter()
            .filter_map(|(domain, body)| Some((*domain, body, statements.get(domain)?)));
        let inserts: Vec<_> = known
            .map(|(domain, body, sql)| request(blocks, id, domain, body, sql))
            .map(|request| store.insert_select(request))
            .collect();
        stream::iter(inserts)
            .buffer_unordered(CONCURRENT_INSERTS)
            .try_collect::<()>()
            .await?;
    }
    let took = began.elapsed();
    let done = watched.cpu();
    merges::come_to_rest(store).await?;
    let rested = watched.cpu();
    account::print(store, label).await?;
    let stored: u64 = store
        .query("SELECT count() FROM events_raw")
        .fetch_one()
        .await?;
    ensure!(
        stored == blocks.events(),
        "{stored} of {} events are stored",
        blocks.events()
    );
    rig.drop(store).await?;
    let figure = Figure::new(label, blocks.events(), took, &between(&before, &done));
    let note = format!("{} batches, no ledger, no intents", blocks.batches.len());
    Ok(figure.after(&between(&done, &rested)).note(note))
}

fn request(blocks: &Blocks, batch: Uuid, domain: Domain, body: &Body, sql: &str) -> InsertSelect {
    let params = Params::new()
        .with("batch", batch)
        .with("mark", Uuid::new_v5(&batch, domain.as_str().as_bytes()))
        .with("decided_at", blocks.decided_at);
    InsertSelect::new(sql, format!("bench_{batch}_{domain}"), body.clone()).params(params)
}

/// The ingestor's own inserts, without the fence.
fn statements(database: &str) -> HashMap<Domain, String> {
    let statement = |domain: Domain| {
        let rows = Rows::new(domain);
        let (columns, input) = (rows.column_names().join(", "), rows.input());
        let sql = format!(
            "INSERT INTO {database}.in_{domain} (batch, mark, decided_at, {columns}) \
             SELECT {{batch:UUID}}, \
                if(sentinel, {{mark:UUID}}, toUUID('00000000-0000-0000-0000-000000000000')), \
                {{decided_at:DateTime64(3, 'UTC')}}, {columns} FROM {input}"
        );
        (domain, sql)
    };
    Domain::ALL.into_iter().map(statement).collect()
}

/// Leaves the views that feed the tables of events, and no other.
async fn drop_aggregates(store: &Store) -> anyhow::Result<()> {
    let sql = "SELECT name FROM system.tables WHERE database = currentDatabase() \
               AND engine = 'MaterializedView' AND NOT match(target_table, '^events_raw|_events')";
    let views: Vec<String> = store.query(sql).fetch_all().await?;
    ensure!(!views.is_empty(), "no view of an aggregate was found");
    for view in views {
        store
            .query(&format!("DROP VIEW {view} SYNC"))
            .execute()
            .await?;
    }
    Ok(())
}
