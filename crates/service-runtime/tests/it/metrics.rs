use opentelemetry::KeyValue;
use service_runtime::telemetry::{self, LATENCY_SECONDS, LogFormat, TelemetryConfig};

/// One test, because telemetry is set up once per process.
#[test]
fn the_metrics_of_the_process_and_of_its_instruments_are_shown_and_a_second_set_up_is_refused() {
    let config = TelemetryConfig {
        log_format: LogFormat::Json,
        ..TelemetryConfig::default()
    };
    let _guard = telemetry::init("runtime-test", "1.2.3", &config).unwrap();
    let rows = telemetry::meter().u64_counter("ingest.rows").build();
    rows.add(3, &[KeyValue::new("verdict", "accepted")]);
    let latency = telemetry::meter()
        .f64_histogram("write.duration")
        .with_unit("s")
        .with_boundaries(LATENCY_SECONDS.to_vec())
        .build();
    latency.record(0.002, &[]);
    let text = telemetry::render().unwrap();
    for line in [
        "ingest_rows_total{verdict=\"accepted\"} 3",
        "write_duration_seconds_bucket{le=\"0.001\"} 0",
        "write_duration_seconds_bucket{le=\"0.0025\"} 1",
    ] {
        assert!(
            text.lines().any(|shown| shown == line),
            "{line} is not in:\n{text}"
        );
    }
    assert!(text.contains("process_resident_memory_bytes "), "{text}");
    assert!(text.contains("service_name=\"runtime-test\""), "{text}");
    assert!(telemetry::init("runtime-test", "1.2.3", &config).is_err());
}
