//! What the ingestor counts. Names are an interface: dashboards and alerts use them.

use crate::{board::Board, judge::Judged, open_batches::OldestOpen};
use metadata_store::LaneId;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};
use service_runtime::{clock::Clock, telemetry::LATENCY_SECONDS};
use std::sync::Arc;

/// Lets the age of the oldest open batch be asked for. Every member tells the same.
pub(crate) fn observe_oldest(meter: &Meter, oldest: Arc<OldestOpen>, clock: Arc<dyn Clock>) {
    meter
        .u64_observable_gauge("openride_ingest_oldest_open_batch")
        .with_unit("s")
        .with_description(
            "Age of the oldest batch that is promised and not finished; 0 if there is none.",
        )
        .with_callback(move |observer| observer.observe(oldest.age_seconds(clock.now()), &[]))
        .build();
}

/// Instruments of the ingestor.
#[derive(Clone)]
pub struct Meters {
    /// Durable records by domain and verdict.
    pub records: Counter<u64>,
    /// Batches that were closed.
    pub batches: Counter<u64>,
    /// Attempts at a batch beyond the first.
    pub recoveries: Counter<u64>,
    /// Lanes that PostgreSQL knew further back than ClickHouse.
    pub rewound: Counter<u64>,
    /// Records in a batch.
    pub batch_records: Histogram<u64>,
    /// Seconds from opening a batch to all its parts being there.
    pub write_seconds: Histogram<f64>,
    /// Facts whose region was settled.
    pub settled: Counter<u64>,
}

impl Meters {
    /// Makes the instruments; the gauges read the board when they are asked.
    pub fn new(meter: &Meter, board: &Arc<Board>) -> Self {
        let lags = board.clone();
        meter
            .i64_observable_gauge("openride_ingest_lag_offsets")
            .with_description("Offsets between what is durable and Kafka's end.")
            .with_callback(move |observer| {
                for (lane, lag) in lags.lag() {
                    let partition = i64::from(lane.partition);
                    observer.observe(
                        lag,
                        &[
                            KeyValue::new("topic", lane.topic),
                            KeyValue::new("partition", partition),
                        ],
                    );
                }
            })
            .build();
        let stopped = board.clone();
        meter
            .u64_observable_gauge("openride_ingest_stopped_lanes")
            .with_description("Partitions that stand still until an operator decides.")
            .with_callback(move |observer| observer.observe(stopped.stopped() as u64, &[]))
            .build();
        let meters = Self {
            records: meter
                .u64_counter("openride_ingest_records")
                .with_description("Durable records by domain and verdict.")
                .build(),
            batches: meter
                .u64_counter("openride_ingest_batches")
                .with_description("Batches closed.")
                .build(),
            recoveries: meter
                .u64_counter("openride_ingest_recoveries")
                .with_description("Attempts at a batch beyond the first.")
                .build(),
            rewound: meter
                .u64_counter("openride_ingest_rewound_lanes")
                .with_description("Lanes that PostgreSQL knew further back than ClickHouse: it had gone back to an older state.")
                .build(),
            batch_records: meter
                .u64_histogram("openride_ingest_batch_records")
                .with_boundaries(vec![10.0, 100.0, 1e3, 1e4, 3e4, 1e5, 3e5, 1e6])
                .with_description("Records in a batch.")
                .build(),
            write_seconds: meter
                .f64_histogram("openride_ingest_write")
                .with_unit("s")
                .with_boundaries(LATENCY_SECONDS.to_vec())
                .with_description("From opening a batch to all its parts being there.")
                .build(),
            settled: meter
                .u64_counter("openride_ingest_settled_facts")
                .with_description("Facts whose region was settled.")
                .build(),
        };
        // shown from the start: what has never been counted would be missing where an alert looks for it
        for counter in [
            &meters.batches,
            &meters.recoveries,
            &meters.rewound,
            &meters.settled,
        ] {
            counter.add(0, &[]);
        }
        meters
    }

    /// Counts a batch that was closed, without the ranges of `parked` lanes.
    pub fn count(&self, judged: &Judged, parked: &[LaneId]) {
        self.batches.add(1, &[]);
        let lanes = judged.raw.lanes.iter().zip(&judged.counts);
        let durable = || {
            lanes
                .clone()
                .filter(|(lane, _)| !parked.contains(&lane.lane))
        };
        let records: usize = durable().map(|(lane, _)| lane.records.len()).sum();
        self.batch_records.record(records as u64, &[]);
        for (lane, counts) in durable() {
            let domain = KeyValue::new("domain", lane.source.domain.as_str());
            let verdicts = [
                ("accepted", counts.accepted),
                ("duplicate", counts.duplicate),
                ("dead_lettered", counts.dead_lettered),
            ];
            for (verdict, count) in verdicts.into_iter().filter(|(_, count)| *count > 0) {
                self.records
                    .add(count, &[domain.clone(), KeyValue::new("verdict", verdict)]);
            }
        }
    }
}
