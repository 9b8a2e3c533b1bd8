//! The server is told to which trace a statement belongs.

use std::{collections::HashMap, sync::LazyLock};

use event_store::{InsertSelect, Store};
use service_runtime::telemetry::{self, TelemetryConfig, TelemetryGuard, trace_context};
use tracing::{Instrument, Span, info_span};
use uuid::Uuid;

use crate::support::{self, execute};

/// As every process has it, for all tests of this binary.
static TELEMETRY: LazyLock<TelemetryGuard> =
    LazyLock::new(|| telemetry::init("event-store", "0", &TelemetryConfig::default()).unwrap());

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";
/// What the server got; it tells only who allows it.
const RECEIVED: &str = "getClientHTTPHeader('traceparent')";
const ALLOWED: (&str, u8) = ("allow_get_client_http_header", 1);

async fn received_by_select(store: &Store) -> String {
    let query = store.query(&format!("SELECT {RECEIVED}"));
    query
        .setting(ALLOWED.0, ALLOWED.1)
        .fetch_one()
        .await
        .unwrap()
}

async fn received_by_insert(store: &Store) -> String {
    execute(store, "TRUNCATE TABLE received").await;
    let sql = format!("INSERT INTO received SELECT {RECEIVED}");
    let insert = InsertSelect::new(sql, Uuid::new_v4().to_string(), Vec::new());
    store
        .insert_select(insert.setting(ALLOWED.0, ALLOWED.1))
        .await
        .unwrap();
    let found = store.query("SELECT trace FROM received").fetch_one();
    found.await.unwrap()
}

/// The span of a request whose caller wants it recorded.
fn called() -> Span {
    let span = info_span!("request");
    let parent = format!("00-{CALLER}-b7ad6b7169203331-01");
    let carrier = HashMap::from([("traceparent".to_owned(), parent)]);
    trace_context::continue_from(&span, &carrier);
    span
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_within_a_span_carry_its_trace_and_others_none() {
    LazyLock::force(&TELEMETRY);
    let store = support::store().await;
    execute(
        &store,
        "CREATE TABLE received (trace String) ENGINE = MergeTree ORDER BY ()",
    )
    .await;
    let span = called();
    let selected = received_by_select(&store).instrument(span.clone()).await;
    let inserted = received_by_insert(&store).instrument(span.clone()).await;
    let within = &span.in_scope(trace_context::inject_current)["traceparent"];
    for trace in [&selected, &inserted, within] {
        assert!(trace.starts_with(&format!("00-{CALLER}-")), "{trace}");
        assert!(trace.ends_with("-01"), "{trace}");
    }
    // each is a span of its own
    assert!(selected != *within && inserted != *within && selected != inserted);

    assert_eq!(received_by_select(&store).await, "");
    assert_eq!(received_by_insert(&store).await, "");
}
