//! How long it takes to place a point or a pair of names.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops at its first surprise"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared_schema::{Latitude, Longitude, Region};

/// Points all over the country, a tenth of a degree apart.
fn points() -> Vec<(Latitude, Longitude)> {
    let rows = (42..138).map(|tenths| f64::from(tenths) / 10.0);
    rows.flat_map(|lat| (27..147).map(move |tenths| (lat, f64::from(tenths) / 10.0)))
        .map(|(lat, lon)| (Latitude::new(lat).unwrap(), Longitude::new(lon).unwrap()))
        .collect()
}

fn coordinates(c: &mut Criterion) {
    let points = points();
    let city = (
        Latitude::new(6.6018).unwrap(),
        Longitude::new(3.3515).unwrap(),
    );
    let mut group = c.benchmark_group("region from coordinates");
    group.throughput(Throughput::Elements(points.len() as u64));
    group.bench_function("all over the country", |b| {
        b.iter(|| {
            points
                .iter()
                .filter(|(lat, lon)| Region::from_coordinates(*lat, *lon) == Region::UNKNOWN)
                .count()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("in the middle of Lagos", |b| {
        b.iter(|| Region::from_coordinates(black_box(city.0), black_box(city.1)));
    });
    group.finish();
}

fn names(c: &mut Criterion) {
    c.bench_function("region from names", |b| {
        b.iter(|| Region::from_names(black_box(Some("Lagos State")), black_box(Some("Ikeja"))));
    });
}

criterion_group!(benches, coordinates, names);
criterion_main!(benches);
