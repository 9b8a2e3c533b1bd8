//! A request is found in the log by the trace of its caller.

use crate::{api::databases, process::Process};

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_of_a_request_names_the_trace_of_its_caller_or_a_new_one() {
    let mut config = databases().await;
    config.clickhouse.database = "nowhere".to_owned();
    let mut api = Process::start(&config, &[]);
    let request = api.get("/v1/metrics/trips");
    let called = request
        .try_clone()
        .unwrap()
        .header("traceparent", format!("00-{CALLER}-b7ad6b7169203331-00"))
        .header("x-request-id", "caller-1");
    assert_eq!(called.send().await.unwrap().status(), 500);
    let line = api.line("the request failed");
    assert_eq!(line["trace_id"], CALLER);
    assert_eq!(line["span"]["request_id"], "caller-1");
    assert_ne!(line["span_id"], "b7ad6b7169203331");

    let mut traces = Vec::new();
    for _ in 0..2 {
        request.try_clone().unwrap().send().await.unwrap();
        traces.push(api.line("the request failed")["trace_id"].clone());
    }
    assert_eq!(traces[0].as_str().map(str::len), Some(32));
    assert_ne!(traces[0], traces[1]);
}
