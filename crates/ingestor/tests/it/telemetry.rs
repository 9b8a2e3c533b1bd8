//! What the real program tells of itself: traces to an OTLP collector, metrics to whoever asks.

use crate::{
    admin_port::{ask, with_admin_port},
    member::Program,
    platform::Platform,
    proxy::{Fault, Proxy},
};
use chrono::Utc;
use collector::{Collector, Metric, Span, documented};
use shared_schema::Domain;
use uuid::Uuid;

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";
const PRODUCER: &str = "b7ad6b7169203331";
const PHONE: &str = "+2348012345678";

fn registration(trace_id: &str) -> String {
    serde_json::json!({
        "event_type": "user.registered",
        "event_timestamp": Utc::now(),
        "user_id": Uuid::new_v4(),
        "phone": PHONE,
        "role": "RIDER",
        "trace_id": trace_id,
    })
    .to_string()
}

/// Text of one row.
async fn text(platform: &Platform, sql: &str) -> String {
    platform.store.query(sql).fetch_one().await.unwrap()
}

fn named<'s>(spans: &'s [Span], name: &'static str) -> impl Iterator<Item = &'s Span> {
    spans.iter().filter(move |span| span.name == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_followed_from_its_header_to_the_inserts_of_its_batch() {
    let platform = Platform::new(1).await;
    let collector = Collector::start().unwrap();
    let mut config = platform.config.clone();
    config.telemetry.otlp_endpoint = Some(collector.endpoint().parse().unwrap());
    let program = Program::start(&config);
    let topic = config.topics.topic_of(Domain::User);
    let recorded = format!("00-{CALLER}-{PRODUCER}-01");
    let unrecorded = format!("00-{CALLER}-00f067aa0ba902b7-00");
    platform.send_traced(topic, &registration(CALLER), &recorded);
    platform.send_traced(topic, &registration("other"), &unrecorded);
    platform.send_traced(topic, &registration("none"), "no context");
    platform.drained(3).await;
    program.stop();

    let spans = collector.spans();
    let origin = (CALLER.to_owned(), PRODUCER.to_owned());
    let batches: Vec<_> = named(&spans, "batch").collect();
    let links: Vec<_> = batches.iter().flat_map(|batch| &batch.links).collect();
    assert_eq!(links, [&origin], "{batches:#?}");
    let batch = batches
        .iter()
        .find(|batch| !batch.links.is_empty())
        .unwrap();
    let stored = format!("SELECT toString(batch) FROM events_raw WHERE trace_id = '{CALLER}'");
    assert_eq!(batch.attribute("batch.id"), text(&platform, &stored).await);
    assert_eq!(batch.attribute("messaging.system"), "kafka");

    let within = spans.iter().filter(|span| span.parent == batch.id);
    let mut inserts: Vec<_> = within
        .filter(|span| span.attribute("db.operation.name") == "insert")
        .collect();
    inserts.sort_by_key(|span| &span.name);
    let names: Vec<_> = inserts.iter().map(|insert| insert.name.as_str()).collect();
    assert_eq!(names, ["in_user", "ingest_ledger"]);
    platform.execute("SYSTEM FLUSH LOGS").await;
    for insert in inserts {
        assert_eq!(insert.trace, batch.trace);
        assert_eq!(insert.attribute("db.system.name"), "clickhouse");
        let id = insert.attribute("clickhouse.query_id");
        let logged = format!(
            "SELECT concat(query_kind, ' ', toString(written_rows > 0)) FROM system.query_log \
             WHERE query_id = '{id}' AND type = 'QueryFinish'"
        );
        assert_eq!(text(&platform, &logged).await, "Insert 1", "{insert:#?}");
    }
    for span in &spans {
        let told = format!("{span:?}");
        assert!(!told.contains("INSERT") && !told.contains(PHONE), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_written_down_and_every_metric_that_is_written_down_is_shown() {
    let platform = Platform::new(1).await;
    let (proxy, mut config) = Proxy::before_clickhouse(&platform).await;
    let address = with_admin_port(&mut config);
    let program = Program::start(&config);
    platform.owned_by(1).await;
    let topic = config.topics.topic_of(Domain::User);
    platform.send_raw(topic, b"key", b"no event");
    platform.flush();
    platform.drained(1).await;
    // so that something fails and is recovered
    proxy.plan(Domain::User.input_table(), 0, Fault::Tear(0));
    platform.send_raw(topic, b"key", registration("").as_bytes());
    platform.flush();
    platform.drained(2).await;
    let page = ask(&address, "metrics").await.unwrap();
    program.stop();

    documented("ingestor", &page).unwrap();
    let metrics = Metric::all_of(&page);
    let statements = &metrics["db_client_operation_duration_seconds"].labels;
    assert!(statements["db_query_summary"].contains(Domain::User.input_table()));
    let ids = |name: &String| name.chars().any(|character| character.is_ascii_digit());
    assert!(
        !statements["db_query_summary"].iter().any(ids),
        "{statements:#?}"
    );
    assert!(statements["error_type"].contains("lost"), "{statements:#?}");
    assert!(page.lines().any(|line| {
        line.starts_with("openride_ingest_recoveries_total") && line.ends_with(" 1")
    }));
}
