//! What a process logs of requests, line by line.

use std::{collections::BTreeMap, time::Duration};

use devstack::{Flow, Server};
use query_api::Config;
use serde_json::{Value, json};
use service_runtime::config::HumanDuration;

use crate::{
    callers::{self, guarded_without_events, unknown_key},
    process::{CALLER, PARENT, Process, new_key},
    wire::through_wire,
};

/// The fields of a request's line that do not change from run to run.
fn told(line: &Value) -> Value {
    assert!(line["duration_seconds"].as_f64().unwrap() < 20.0, "{line}");
    let names = [
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "cache.result",
    ];
    let values = names.map(|name| line[name].clone());
    json!([line["spans"][0]["request_id"], values])
}

async fn guarded() -> (Config, String) {
    let mut config = callers::guarded().await;
    config.cache.enabled = true;
    let key = new_key(&config);
    (config, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_one_line_that_names_its_route_its_key_and_where_its_answer_came_from() {
    let (config, key) = guarded().await;
    let mut api = Process::start(&config, &[]);
    let keys = api.get("/v1/keys").header("x-api-key", &key).send();
    let keys: Value = keys.await.unwrap().json().await.unwrap();
    let key_id = keys["keys"][0]["id"].as_str().unwrap();
    api.line("answered");

    let trips = "/v1/metrics/trips?start_date=2026-05-01&end_date=2026-05-31";
    let of_a_key = format!("/v1/keys/{key_id}");
    let unknown = format!("/v1/{key}?x={key}");
    for (id, path, cache_control, expected) in [
        (
            "first",
            trips,
            "",
            json!(["GET", "/v1/metrics/trips", 200, "miss"]),
        ),
        (
            "again",
            trips,
            "",
            json!(["GET", "/v1/metrics/trips", 200, "hit"]),
        ),
        (
            "anew",
            trips,
            "no-cache",
            json!(["GET", "/v1/metrics/trips", 200, "bypass"]),
        ),
        (
            "one",
            &of_a_key,
            "",
            json!(["GET", "/v1/keys/{id}", 200, null]),
        ),
        ("unknown", &unknown, "", json!(["GET", "none", 404, null])),
    ] {
        let request = api
            .get(path)
            .header("x-api-key", &key)
            .header("x-request-id", id)
            .header("cache-control", cache_control);
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(expected[2], status);
        let line = api.line("answered");
        assert_eq!(told(&line), json!([id, expected]));
        assert_eq!(
            (&line["caller.key_id"], &line["level"]),
            (&json!(key_id), &json!("INFO"))
        );
    }
    let nobody = api.get(trips).header("x-request-id", "nobody");
    assert_eq!(nobody.send().await.unwrap().status(), 401);
    let line = api.line("answered");
    assert_eq!(
        (told(&line), &line["caller.key_id"]),
        (
            json!(["nobody", ["GET", "/v1/metrics/trips", 401, null]]),
            &Value::Null
        )
    );

    // probes have none
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(api.get(path).send().await.unwrap().status(), 200, "{path}");
    }
    let log = api.end();
    let answered = log.iter().filter(|line| line["message"] == "answered");
    assert_eq!(answered.count(), 7);
    assert!(
        log.iter().all(|line| !line.to_string().contains(&key)),
        "the key is in the log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_within_a_request_has_its_id_and_the_trace_of_its_caller_or_a_new_one() {
    let (mut config, key) = guarded().await;
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    let deadline = HumanDuration::secs(1).to_string();
    let api = Process::start(
        &config,
        &[
            ("OPENRIDE_HTTP_QUERY_DEADLINE", deadline.as_str()),
            // what is logged of a statement stands in a span of its own
            (
                "OPENRIDE_TELEMETRY_LOG_FILTER",
                "info,event_store=debug,query_api=debug",
            ),
        ],
    );
    wire.set(Flow::Neither);
    let ids = [("called", "Ikeja"), ("new", "Aba"), ("another", "Kano")];
    let asked = ids.map(|(id, city)| {
        let request = api
            .get(&format!("/v1/metrics/trips?city={city}"))
            .header("x-api-key", &key)
            .header("x-request-id", id);
        let request = match id {
            "called" => request.header("traceparent", format!("00-{CALLER}-{PARENT}-00")),
            _ => request,
        };
        request.timeout(Duration::from_secs(30)).send()
    });
    for answer in futures::future::join_all(asked).await {
        assert_eq!(answer.unwrap().status(), 503);
    }
    let mut of_traces: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in api.end() {
        if let Some(trace) = line["trace_id"].as_str() {
            of_traces
                .entry(trace.to_owned())
                .or_default()
                .push(line.clone());
        }
    }
    assert_eq!(of_traces.len(), 3, "{of_traces:#?}");
    for (trace, lines) in of_traces {
        assert_eq!(trace.len(), 32);
        let id = lines[0]["spans"][0]["request_id"].as_str().unwrap();
        assert!(ids.iter().any(|(known, _)| id == *known), "{id}");
        assert_eq!(id == "called", trace == CALLER, "{id} {trace}");
        for line in &lines {
            assert_eq!(line["spans"][0]["request_id"], id, "{lines:#?}");
            assert_ne!(line["span_id"], PARENT, "{lines:#?}");
        }
        let messages: Vec<_> = lines
            .iter()
            .filter_map(|line| line["message"].as_str())
            .collect();
        for message in [
            "an overdue query could not be killed in time",
            "answered",
            "the request cannot be answered",
        ] {
            assert!(messages.contains(&message), "{messages:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_continued_for_those_who_are_let_in() {
    let config = guarded_without_events().await;
    let key = new_key(&config);
    let mut api = Process::start(&config, &[]);
    for (path, key, is_continued) in [
        ("/v1/definitions", "", false),
        ("/v1/definitions", &unknown_key(), false),
        ("/openapi.json", "", false),
        ("/v1/definitions", &key, true),
        ("/v1/nowhere", &key, true),
    ] {
        let request = api
            .get(path)
            .header("traceparent", format!("00-{CALLER}-{PARENT}-01"));
        let request = match key {
            "" => request,
            key => request.header("x-api-key", key),
        };
        request.send().await.unwrap();
        let line = api.line("answered");
        assert_eq!(line["trace_id"] == CALLER, is_continued, "{line}");
        assert_eq!(line["trace_id"].as_str().map(str::len), Some(32), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_before_a_caller_is_let_in_has_the_id_of_its_request_and_no_trace() {
    let mut config = guarded_without_events().await;
    let key = new_key(&config);
    let wire = through_wire(&mut config, Server::Postgres).await;
    let mut api = Process::start(&config, &[("OPENRIDE_AUTH_RECHECK", "1ms")]);
    let ask = async |id: &str| {
        let request = api.get("/v1/definitions").header("x-request-id", id);
        let request = request.header("x-api-key", &key);
        let trace = format!("00-{CALLER}-{PARENT}-01");
        let answer = request.header("traceparent", trace).send().await;
        answer.unwrap().status()
    };
    assert_eq!(ask("before").await, 200);
    wire.set(Flow::Neither);
    assert_eq!(ask("meanwhile").await, 200);
    for (message, trace) in [
        (
            "a key cannot be looked up; what was known of it stands",
            Value::Null,
        ),
        ("answered", CALLER.into()),
    ] {
        let line = api.line(message);
        assert_eq!(line["spans"][0]["request_id"], "meanwhile", "{line}");
        assert_eq!(line["trace_id"], trace, "{line}");
    }
}
