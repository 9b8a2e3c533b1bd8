//! How many events a core decodes in a second.
//!
//! The example events, written without spaces, in the proportions of a ride-sharing day; and the ways
//! that cost more.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops at its first surprise"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared_schema::{EventType, Subscription, Subscriptions, TopicsConfig, decode};

struct Record {
    bytes: Vec<u8>,
    source: Subscription,
}

fn example(folder: &str, name: &str) -> Vec<u8> {
    let path = format!("{}/{folder}/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::to_vec(&value).unwrap()
}

fn record(kind: EventType) -> Record {
    let source = Subscriptions::default().carrying(kind).unwrap().clone();
    Record {
        bytes: example("fixtures", kind.as_str()),
        source,
    }
}

/// One of each type, and three pings more.
fn mixed() -> Vec<Record> {
    let pings = [EventType::DriverLocationUpdated; 3];
    EventType::ALL
        .iter()
        .chain(&pings)
        .map(|kind| record(*kind))
        .collect()
}

fn legacy() -> Vec<Record> {
    let types = EventType::ALL
        .iter()
        .filter(|kind| **kind != EventType::RouteUpdated);
    let names: Vec<String> = types.map(|kind| kind.as_str().to_owned()).collect();
    let config = TopicsConfig {
        legacy_topics: names.clone(),
        moved_event_types: names,
        ..TopicsConfig::default()
    };
    let all = Subscriptions::new(&config).unwrap();
    all.iter()
        .filter(|source| source.adapter.is_some())
        .map(|source| Record {
            bytes: example("fixtures/camel", &source.topic),
            source: source.clone(),
        })
        .collect()
}

fn without_id(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        let mut value: serde_json::Value = serde_json::from_slice(&record.bytes).unwrap();
        value.as_object_mut().unwrap().remove("event_id");
        record.bytes = serde_json::to_vec(&value).unwrap();
    }
    records
}

fn broken(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        record.bytes.truncate(record.bytes.len() / 2);
    }
    records
}

fn throughput(c: &mut Criterion) {
    let cases = [
        ("booking.created", vec![record(EventType::BookingCreated)]),
        ("location", vec![record(EventType::DriverLocationUpdated)]),
        ("mixed", mixed()),
        ("mixed without event_id", without_id(mixed())),
        ("legacy topics", legacy()),
        ("torn", broken(mixed())),
    ];
    let mut group = c.benchmark_group("decode");
    for (name, records) in cases {
        let bytes: usize = records.iter().map(|record| record.bytes.len()).sum();
        println!("{name}: {} bytes an event", bytes / records.len());
        group.throughput(Throughput::Elements(records.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                for record in &records {
                    let _ = black_box(decode(black_box(&record.bytes), &record.source));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, throughput);
criterion_main!(benches);
