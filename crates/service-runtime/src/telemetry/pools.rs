use deadpool::Status;
use opentelemetry::{KeyValue, metrics::AsyncInstrument};

use super::meter;

/// Shows how a pool of connections is used, under the names of OpenTelemetry, whenever metrics are asked for. To be called
/// once for each pool of a process.
pub fn observe_pool(
    name: &'static str,
    status: impl Fn() -> Status + Clone + Send + Sync + 'static,
) {
    let pool = KeyValue::new("db.client.connection.pool.name", name);
    let in_state = |state| {
        let state = KeyValue::new("db.client.connection.state", state);
        [pool.clone(), state]
    };
    let (used, idle, ask) = (in_state("used"), in_state("idle"), status.clone());
    meter()
        .u64_observable_gauge("db.client.connection.count")
        .with_description("Connections of a pool, by whether somebody works with them.")
        .with_callback(move |observer| {
            let Status {
                size, available, ..
            } = ask();
            observe(observer, size.saturating_sub(available), &used);
            observe(observer, available, &idle);
        })
        .build();
    let (attributes, ask) = ([pool.clone()], status.clone());
    meter()
        .u64_observable_gauge("db.client.connection.max")
        .with_description("Connections that a pool may have.")
        .with_callback(move |observer| observe(observer, ask().max_size, &attributes))
        .build();
    let attributes = [pool];
    meter()
        .u64_observable_gauge("db.client.connection.pending_requests")
        .with_description("Callers that wait for a connection of a pool.")
        .with_callback(move |observer| observe(observer, status().waiting, &attributes))
        .build();
}

fn observe(observer: &dyn AsyncInstrument<u64>, count: usize, attributes: &[KeyValue]) {
    observer.observe(u64::try_from(count).unwrap_or(u64::MAX), attributes);
}
