//! Rows of every column type: random ones, how they are set, and what the server must show of them.

use event_store::native::{
    Block, Bool, Col, ColumnType, DateTime64, Decimal64, Enum8, Float64, Int64, Scalar, Text,
    Texts, UInt8, UInt16, UInt32, UInt64, Uuid,
};
use proptest::prelude::{Strategy, any};
use serde_json::{Value, json};

const ENUM: [(&str, i8); 4] = [
    ("it's", -128),
    ("zero", 0),
    ("back\\slash", 5),
    ("most", 127),
];

/// Every type twice, plain and with NULL, and both kinds of arrays.
pub(crate) struct Columns {
    pub(crate) uint8: [Col<UInt8>; 2],
    pub(crate) uint16: [Col<UInt16>; 2],
    pub(crate) uint32: [Col<UInt32>; 2],
    pub(crate) uint64: [Col<UInt64>; 2],
    pub(crate) int64: [Col<Int64>; 2],
    pub(crate) float64: [Col<Float64>; 2],
    pub(crate) bool: [Col<Bool>; 2],
    pub(crate) enum8: [Col<Enum8>; 2],
    pub(crate) datetime64: [Col<DateTime64>; 2],
    pub(crate) decimal64: [Col<Decimal64>; 2],
    pub(crate) uuid: [Col<Uuid>; 2],
    pub(crate) string: [Col<Text>; 2],
    pub(crate) low_cardinality: [Col<Text>; 2],
    pub(crate) strings: Col<Texts>,
    pub(crate) low_cardinalities: Col<Texts>,
}

fn pair<K: Scalar>(block: &mut Block, name: &str, plain: ColumnType<K>) -> [Col<K>; 2] {
    let nullable = plain.clone().nullable();
    [
        block.add(name, plain),
        block.add(&format!("{name}_null"), nullable),
    ]
}

impl Columns {
    pub(crate) fn add_to(block: &mut Block) -> Self {
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
pub(crate) struct Row {
    pub(crate) uint8: Option<u8>,
    pub(crate) uint16: Option<u16>,
    pub(crate) uint32: Option<u32>,
    pub(crate) uint64: Option<u64>,
    pub(crate) int64: Option<i64>,
    pub(crate) float64: Option<f64>,
    pub(crate) bool: Option<bool>,
    pub(crate) enum8: Option<(&'static str, i8)>,
    pub(crate) datetime64: Option<i64>,
    pub(crate) decimal64: Option<i64>,
    pub(crate) uuid: Option<u128>,
    pub(crate) string: Option<Vec<u8>>,
    pub(crate) low_cardinality: Option<Vec<u8>>,
    pub(crate) strings: Option<Vec<Vec<u8>>>,
    pub(crate) low_cardinalities: Option<Vec<Vec<u8>>>,
}

pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
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

pub(crate) fn set(block: &mut Block, columns: &Columns, row: &Row) {
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

pub(crate) fn expected(row: &Row) -> Vec<Value> {
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
pub(crate) const SELECT: &str = "
    SELECT uint8, uint8_null, uint16, uint16_null, uint32, uint32_null, uint64, uint64_null,
        int64, int64_null, reinterpretAsUInt64(float64), reinterpretAsUInt64(float64_null),
        bool, bool_null, enum8, enum8_null,
        toUnixTimestamp64Milli(datetime64), toUnixTimestamp64Milli(datetime64_null),
        reinterpretAsInt64(decimal64), reinterpretAsInt64(decimal64_null),
        uuid, uuid_null, hex(string), hex(string_null), hex(low_cardinality), hex(low_cardinality_null),
        arrayMap(x -> hex(x), strings), arrayMap(x -> hex(x), low_cardinalities)
    FROM cells";
