//! What it costs to gather and encode rows: a wide, sparse table and a dense one.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use event_store::{
    Buffers,
    native::{Block, Col, ColumnType, Float64, Text, UInt64, Uuid},
};

const ROWS: u64 = 200_000;
const STATES: [&str; 6] = ["Lagos", "Kano", "Oyo", "Rivers", "Kaduna", "unknown"];

/// 40 columns, of which a row has ten: like the events of one topic.
struct Wide {
    block: Block,
    ids: [Col<Uuid>; 2],
    offset: Col<UInt64>,
    words: Vec<Col<Text>>,
    numbers: Vec<Col<Float64>>,
    texts: Vec<Col<Text>>,
}

impl Wide {
    fn new() -> Self {
        let mut block = Block::new();
        let ids = ["event_id", "batch"].map(|name| block.add(name, ColumnType::uuid()));
        let offset = block.add("kafka_offset", ColumnType::uint64());
        let mut names = (0..).map(|number| format!("column_{number}"));
        let mut next = move || names.next().unwrap_or_default();
        let word = ColumnType::low_cardinality_string;
        let words = (0..12).map(|_| block.add(&next(), word())).collect();
        let number = || ColumnType::float64().nullable();
        let numbers = (0..15).map(|_| block.add(&next(), number())).collect();
        let text = || ColumnType::string().nullable();
        let texts = (0..10).map(|_| block.add(&next(), text())).collect();
        Self {
            block,
            ids,
            offset,
            words,
            numbers,
            texts,
        }
    }

    /// Sets so many of each kind of column.
    fn fill(&mut self, words: usize, numbers: usize, texts: usize) {
        let Self { block, ids, .. } = self;
        for (row, state) in (0..ROWS).zip(STATES.iter().cycle()) {
            for id in *ids {
                block.set(id, uuid::Uuid::from_u64_pair(row, !row));
            }
            block.set(self.offset, row);
            for column in self.words.iter().take(words) {
                block.set(*column, *state);
            }
            for column in self.numbers.iter().take(numbers) {
                block.set(*column, 6.5);
            }
            for column in self.texts.iter().take(texts) {
                block.set(*column, "0123456789abcdef");
            }
            block.finish_row();
        }
    }
}

fn native(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("native, 40 columns");
    group.throughput(Throughput::Elements(ROWS)).sample_size(20);
    let mut wide = Wide::new();
    let memory = Buffers::up_to(256 << 20);
    let cases = [("sparse", 4, 2, 1), ("dense", 12, 15, 10)];
    for (name, words, numbers, texts) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                wide.fill(words, numbers, texts);
                black_box(wide.block.take(&memory))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, native);
criterion_main!(benches);
