use event_store::{
    InsertSelect, Store,
    native::{
        Block, BlockError, Bool, Col, ColumnType, DateTime64, Decimal64, Enum8, Float64, Int64,
        Scalar, Text, Texts, UInt8, UInt16, UInt32, UInt64, Uuid,
    },
};
use proptest::{
    prelude::{Strategy, any},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::support;

const ENUM: [(&str, i8); 4] = [
    ("it's", -128),
    ("zero", 0),
    ("back\\slash", 5),
    ("most", 127),
];

/// Every type twice, plain and with NULL, and both kinds of arrays.
struct Columns {
    uint8: [Col<UInt8>; 2],
    uint16: [Col<UInt16>; 2],
    uint32: [Col<UInt32>; 2],
    uint64: [Col<UInt64>; 2],
    int64: [Col<Int64>; 2],
    float64: [Col<Float64>; 2],
    bool: [Col<Bool>; 2],
    enum8: [Col<Enum8>; 2],
    datetime64: [Col<DateTime64>; 2],
    decimal64: [Col<Decimal64>; 2],
    uuid: [Col<Uuid>; 2],
    string: [Col<Text>; 2],
    low_cardinality: [Col<Text>; 2],
    strings: Col<Texts>,
    low_cardinalities: Col<Texts>,
}

fn pair<K: Scalar>(block: &mut Block, name: &str, plain: ColumnType<K>) -> [Col<K>; 2] {
    let nullable = plain.clone().nullable();
    [
        block.add(name, plain),
        block.add(&format!("{name}_null"), nullable),
    ]
}

impl Columns {
    fn add_to(block: &mut Block) -> Self {
        Self {
            uint8: pair(block, "uint8", ColumnType::uint8()),
            uint16: pair(block, "uint16", ColumnType::uint16()),
            uint32: pair(block, "uint32", ColumnType::uint32()),
            uint64: pair(block, "uint64", ColumnType::uint64()),
            int64: pair(block, "int64", ColumnType::int64()),
            float64: pair(block, "float64", ColumnType::float64()),
            bool: pair(block, "bool", ColumnType::bool()),
            enum8: pair(block, "enum8", ColumnType::enum8(&ENUM)),
            datetime64: pair(block, "datetime64", ColumnType::datetime64()),
            decimal64: pair(block, "decimal64", ColumnType::decimal64(2)),
            uuid: pair(block, "uuid", ColumnType::uuid()),
            string: pair(block, "string", ColumnType::string()),
            low_cardinality: pair(
                block,
                "low_cardinality",
                ColumnType::low_cardinality_string(),
            ),
            strings: block.add("strings", ColumnType::string().array()),
            low_cardinalities: block.add(
                "low_cardinalities",
                ColumnType::low_cardinality_string().array(),
            ),
        }
    }
}

/// A row; what is `None` is not set.
#[derive(Clone, Debug, Default)]
struct Row {
    uint8: Option<u8>,
    uint16: Option<u16>,
    uint32: Option<u32>,
    uint64: Option<u64>,
    int64: Option<i64>,
    float64: Option<f64>,
    bool: Option<bool>,
    enum8: Option<(&'static str, i8)>,
    datetime64: Option<i64>,
    decimal64: Option<i64>,
    uuid: Option<u128>,
    string: Option<Vec<u8>>,
    low_cardinality: Option<Vec<u8>>,
    strings: Option<Vec<Vec<u8>>>,
    low_cardinalities: Option<Vec<Vec<u8>>>,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let long = proptest::collection::vec(any::<u8>(), 120..300);
    let text = || proptest::option::of(proptest::prop_oneof![9 => bytes(), 1 => long.clone()]);
    let word = || proptest::sample::select(vec!["", "Lagos", "Abuja", "Kano", "Ìbàdàn"]);
    let word = move || word().prop_map(|word| word.as_bytes().to_vec());
    let numbers = any::<(
        Option<u8>,
        Option<u16>,
        Option<u32>,
        Option<u64>,
        Option<i64>,
        Option<u64>,
        Option<bool>,
        Option<i64>,
        Option<i64>,
        Option<u128>,
    )>();
    let texts = (
        proptest::option::of(proptest::sample::select(&ENUM[..])),
        text(),
        proptest::option::of(proptest::prop_oneof![9 => word(), 1 => bytes()]),
        proptest::option::of(proptest::collection::vec(bytes(), 0..4)),
        proptest::option::of(proptest::collection::vec(word(), 0..4)),
    );
    let row = (numbers, texts).prop_map(|(numbers, texts)| Row {
        uint8: numbers.0,
        uint16: numbers.1,
        uint32: numbers.2,
        uint64: numbers.3,
        int64: numbers.4,
        float64: numbers.5.map(f64::from_bits),
        bool: numbers.6,
        datetime64: numbers.7,
        decimal64: numbers.8,
        uuid: numbers.9,
        enum8: texts.0,
        string: texts.1,
        low_cardinality: texts.2,
        strings: texts.3,
        low_cardinalities: texts.4,
    });
    proptest::collection::vec(row, 1..150)
}

fn set(block: &mut Block, columns: &Columns, row: &Row) {
    for which in 0..2 {
        block.set(columns.uint8[which], row.uint8);
        block.set(columns.uint16[which], row.uint16);
        block.set(columns.uint32[which], row.uint32);
        block.set(columns.uint64[which], row.uint64);
        block.set(columns.int64[which], row.int64);
        block.set(columns.float64[which], row.float64);
        block.set(columns.bool[which], row.bool);
        block.set(columns.enum8[which], row.enum8.map(|(_, value)| value));
        block.set(columns.datetime64[which], row.datetime64);
        block.set(columns.decimal64[which], row.decimal64);
        block.set(columns.uuid[which], row.uuid.map(uuid::Uuid::from_u128));
        block.set(columns.string[which], row.string.as_ref());
        block.set(columns.low_cardinality[which], row.low_cardinality.as_ref());
    }
    block.set(columns.strings, row.strings.as_deref());
    block.set(columns.low_cardinalities, row.low_cardinalities.as_deref());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn expected(row: &Row) -> Vec<Value> {
    let both = |value: Option<Value>, default: Value| match value {
        Some(value) => [value.clone(), value],
        None => [default, Value::Null],
    };
    let array = |texts: &Option<Vec<Vec<u8>>>| {
        let texts = texts.iter().flatten().map(|text| json!(hex(text)));
        Value::Array(texts.collect())
    };
    let mut cells = Vec::new();
    cells.extend(both(row.uint8.map(|v| json!(v)), json!(0)));
    cells.extend(both(row.uint16.map(|v| json!(v)), json!(0)));
    cells.extend(both(row.uint32.map(|v| json!(v)), json!(0)));
    cells.extend(both(row.uint64.map(|v| json!(v)), json!(0)));
    cells.extend(both(row.int64.map(|v| json!(v)), json!(0)));
    cells.extend(both(row.float64.map(|v| json!(v.to_bits())), json!(0)));
    cells.extend(both(row.bool.map(|v| json!(v)), json!(false)));
    cells.extend(both(row.enum8.map(|(name, _)| json!(name)), json!("it's")));
    cells.extend(both(row.datetime64.map(|v| json!(v)), json!(0)));
    cells.extend(both(row.decimal64.map(|v| json!(v)), json!(0)));
    let id = |id| json!(uuid::Uuid::from_u128(id).to_string());
    cells.extend(both(row.uuid.map(id), id(0)));
    cells.extend(both(row.string.as_ref().map(|v| json!(hex(v))), json!("")));
    cells.extend(both(
        row.low_cardinality.as_ref().map(|v| json!(hex(v))),
        json!(""),
    ));
    cells.push(array(&row.strings));
    cells.push(array(&row.low_cardinalities));
    cells
}

/// As JSON that loses nothing: bits of floats, ticks of times and decimals, bytes of texts.
const SELECT: &str = "
    SELECT uint8, uint8_null, uint16, uint16_null, uint32, uint32_null, uint64, uint64_null,
        int64, int64_null, reinterpretAsUInt64(float64), reinterpretAsUInt64(float64_null),
        bool, bool_null, enum8, enum8_null,
        toUnixTimestamp64Milli(datetime64), toUnixTimestamp64Milli(datetime64_null),
        reinterpretAsInt64(decimal64), reinterpretAsInt64(decimal64_null),
        uuid, uuid_null, hex(string), hex(string_null), hex(low_cardinality), hex(low_cardinality_null),
        arrayMap(x -> hex(x), strings), arrayMap(x -> hex(x), low_cardinalities)
    FROM cells";

async fn insert(store: &Store, block: &mut Block, table: &str) {
    let mut body = Vec::new();
    block.encode_into(&mut body).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn random_cells_of_every_type_come_back_as_they_were_set() {
    let store = support::store().await;
    let mut block = Block::new();
    let columns = Columns::add_to(&mut block);
    let create = format!("CREATE TABLE cells ({}) ENGINE = Memory", block.structure());
    support::execute(&store, &create).await;
    let mut runner = TestRunner::default();
    for case in 0..40 {
        let rows = rows().new_tree(&mut runner).unwrap().current();
        for (number, row) in rows.iter().enumerate() {
            if number % 7 == 3 {
                set(&mut block, &columns, &rows[0]);
                block.abandon_row();
            }
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
        block.clear();
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
        block.clear();
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
    let set_cells = 1_000 * size_of::<u64>();
    assert!(block.byte_len() < set_cells + 100, "{}", block.byte_len());
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
    let encode = |block: &mut Block| block.encode_into(&mut Vec::new());

    block.set(foreign, 1);
    assert_eq!(encode(&mut block), Err(BlockError::ForeignColumn));

    block.clear();
    block.finish_row();
    block.set(status, 2);
    block.finish_row();
    let error = encode(&mut block).unwrap_err().to_string();
    assert_eq!(
        error,
        "column `status` (Enum8('on' = 1)) does not have the value that was set in row 1"
    );

    block.clear();
    block.set(status, 1);
    let error = encode(&mut block).unwrap_err();
    assert!(matches!(error, BlockError::UnfinishedRow { row: 0, .. }));
    block.abandon_row();
    assert_eq!(encode(&mut block), Ok(()));
}
