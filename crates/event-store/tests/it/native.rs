use std::env;

use event_store::{
    Buffers, InsertSelect, Store,
    native::{Block, BlockError, ColumnType},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Value, json};

use crate::{
    cells::{Columns, Row, SELECT, expected, hex, rows, set},
    support,
};

async fn insert(store: &Store, block: &mut Block, table: &str) {
    let body = block.take(&Buffers::up_to(1 << 20)).unwrap();
    let sql = format!("INSERT INTO {table} SELECT * FROM {}", block.input());
    let id = uuid::Uuid::new_v4().to_string();
    store
        .insert_select(InsertSelect::new(sql, id, body))
        .await
        .unwrap();
}

async fn select(store: &Store, sql: &str) -> Vec<Value> {
    let query = store
        .query(sql)
        .setting("output_format_json_quote_64bit_integers", 0);
    let answer = query.fetch_bytes("JSONCompactEachRow").await.unwrap();
    let rows = serde_json::Deserializer::from_slice(&answer).into_iter();
    rows.map(Result::unwrap).collect()
}

/// Prints its seed, which `PROPTEST_RNG_SEED` sets again.
fn seeded() -> TestRunner {
    let given = env::var("PROPTEST_RNG_SEED").ok();
    let seed = match given.and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed,
        None => uuid::Uuid::new_v4().as_u64_pair().0,
    };
    println!("PROPTEST_RNG_SEED={seed}");
    TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn random_cells_of_every_type_come_back_as_they_were_set() {
    let store = support::store().await;
    let mut block = Block::new();
    let columns = Columns::add_to(&mut block);
    let create = format!("CREATE TABLE cells ({}) ENGINE = Memory", block.structure());
    support::execute(&store, &create).await;
    let mut runner = seeded();
    for case in 0..40 {
        let rows = rows().new_tree(&mut runner).unwrap().current();
        for (number, row) in rows.iter().enumerate() {
            if number % 5 == 2 {
                // only what is set again may count: an unset cell would keep the first value
                let first = Row {
                    uint8: row.uint8.map(|_| 7),
                    string: row.string.as_ref().map(|_| b"first".to_vec()),
                    low_cardinality: row.low_cardinality.as_ref().map(|_| b"first".to_vec()),
                    strings: row.strings.as_ref().map(|_| vec![b"first".to_vec(); 3]),
                    ..Row::default()
                };
                set(&mut block, &columns, &first);
            }
            set(&mut block, &columns, row);
            block.finish_row();
        }
        insert(&store, &mut block, "cells").await;
        let stored = select(&store, SELECT).await;
        assert_eq!(stored.len(), rows.len(), "case {case}");
        for (stored, row) in stored.iter().zip(&rows) {
            assert_eq!(stored, &Value::Array(expected(row)), "case {case}");
        }
        support::execute(&store, "TRUNCATE TABLE cells").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dictionary_of_any_size_is_read_back() {
    let store = support::store().await;
    support::execute(
        &store,
        "CREATE TABLE words (n UInt64, plain LowCardinality(String),
            nullable LowCardinality(Nullable(String))) ENGINE = Memory",
    )
    .await;
    let mut block = Block::new();
    let n = block.add("n", ColumnType::uint64());
    let plain = block.add("plain", ColumnType::low_cardinality_string());
    let nullable = block.add("nullable", ColumnType::low_cardinality_string().nullable());
    for distinct in [0, 1, 254, 255, 256, 257, 65_534, 65_535, 65_536, 70_000_u64] {
        for number in 0..distinct + 3 {
            block.set(n, number);
            if number < distinct {
                block.set(plain, &format!("w{number}"));
                block.set(nullable, &format!("w{number}"));
            }
            block.finish_row();
        }
        insert(&store, &mut block, "words").await;
        let sql = "SELECT count(), countIf(plain = concat('w', toString(n))), countIf(plain = ''),
            countIf(nullable = concat('w', toString(n))), countIf(isNull(nullable)) FROM words";
        let stored = select(&store, sql).await;
        let expected = json!([distinct + 3, distinct, 3, distinct, 3]);
        assert_eq!(stored, [expected], "{distinct} words");
        support::execute(&store, "TRUNCATE TABLE words").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_never_set_costs_no_cell_and_reads_as_its_default() {
    let store = support::store().await;
    let mut block = Block::new();
    let n = block.add("n", ColumnType::uint64());
    let columns = Columns::add_to(&mut block);
    let create = format!("CREATE TABLE cells ({}) ENGINE = Memory", block.structure());
    support::execute(&store, &create).await;
    for number in 0..1_000_u64 {
        block.set(n, number);
        block.finish_row();
    }
    // a late first cell, behind 1000 defaults
    block.set(columns.string[1], "late");
    block.finish_row();
    insert(&store, &mut block, "cells").await;
    let stored = select(&store, SELECT).await;
    let default = Value::Array(expected(&Row::default()));
    assert!(stored[..1_000].iter().all(|row| *row == default));
    assert_eq!(stored[1_000][23], json!(hex(b"late")));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_mean_what_people_read() {
    let store = support::store().await;
    let mut block = Block::new();
    let columns = Columns::add_to(&mut block);
    let create = format!("CREATE TABLE cells ({}) ENGINE = Memory", block.structure());
    support::execute(&store, &create).await;
    let time: chrono::DateTime<chrono::Utc> = "2026-01-31T23:59:59.123Z".parse().unwrap();
    block.set(columns.decimal64[0], 300_000);
    block.set(columns.datetime64[0], time);
    block.set(columns.bool[0], true);
    block.set(columns.strings, ["MON", "TUE"].as_slice());
    block.finish_row();
    insert(&store, &mut block, "cells").await;
    let sql =
        "SELECT toDecimalString(decimal64, 2), toString(datetime64), bool, strings FROM cells";
    let stored = select(&store, sql).await;
    let expected = json!(["3000.00", "2026-01-31 23:59:59.123", true, ["MON", "TUE"]]);
    assert_eq!(stored, [expected]);
}

#[test]
fn mistakes_are_reported_when_the_block_is_encoded_and_forgotten_with_its_rows() {
    let mut block = Block::new();
    let status = block.add("status", ColumnType::enum8(&[("on", 1)]));
    let foreign = Block::new().add("other", ColumnType::uint8());
    let encode = |block: &mut Block| block.take(&Buffers::default()).map(drop);

    block.set(foreign, 1);
    assert_eq!(encode(&mut block), Err(BlockError::ForeignColumn));

    block.finish_row();
    block.set(status, 2);
    block.finish_row();
    let error = encode(&mut block).unwrap_err().to_string();
    assert_eq!(
        error,
        "column `status` (Enum8('on' = 1)) does not have the value that was set in row 1"
    );

    block.set(status, 1);
    let error = encode(&mut block).unwrap_err();
    assert!(matches!(error, BlockError::UnfinishedRow { row: 0, .. }));
    assert_eq!(encode(&mut block), Ok(()));
}
