//! What the real program tells of itself: traces to an OTLP collector, metrics to whoever asks.

use std::{collections::BTreeSet, time::Duration};

use collector::{Collector, Metric, Span, documented};
use devstack::{Flow, Server};
use event_store::{Params, Store};
use futures::future::join_all;
use reqwest::Method;

use crate::{
    callers::guarded,
    kept::keeping,
    process::{CALLER, PARENT, Process, new_key},
    wire::through_wire,
};

const ROUTE: &str = "/v1/metrics/trips";

fn requests(spans: &[Span]) -> Vec<&Span> {
    let name = format!("GET {ROUTE}");
    spans.iter().filter(|span| span.name == name).collect()
}

fn below<'s>(spans: &'s [Span], request: &Span) -> Vec<&'s Span> {
    let below = spans.iter().filter(|span| span.parent == request.id);
    below.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_followed_from_its_caller_to_its_statements_in_the_server_s_log() {
    let config = keeping().await;
    let collector = Collector::start().unwrap();
    let endpoint = ("OPENRIDE_TELEMETRY_OTLP_ENDPOINT", collector.endpoint());
    let api = Process::start(&config, &[endpoint]);
    let path = format!("{ROUTE}?start_date=2026-05-01&end_date=2026-05-31&city=Ikeja");
    for id in ["first", "second"] {
        let answer = api
            .get(&path)
            .header("traceparent", format!("00-{CALLER}-{PARENT}-01"))
            .header("x-request-id", id)
            .send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    api.end();

    let spans = collector.spans();
    let requests = requests(&spans);
    let told = |request: &&Span| {
        let names = [
            "request_id",
            "http.route",
            "http.response.status_code",
            "cache.result",
        ];
        names.map(|name| request.attribute(name).to_owned())
    };
    assert_eq!(
        requests.iter().map(told).collect::<Vec<_>>(),
        [
            ["first", ROUTE, "200", "miss"].map(str::to_owned),
            ["second", ROUTE, "200", "hit"].map(str::to_owned),
        ]
    );
    for request in &requests {
        assert_eq!(
            (request.trace.as_str(), request.parent.as_str()),
            (CALLER, PARENT)
        );
    }
    let (made, kept) = (below(&spans, requests[0]), below(&spans, requests[1]));
    assert!(kept.is_empty(), "{kept:#?}");
    assert!(!made.is_empty());
    let store = Store::connect(&config.clickhouse).unwrap();
    store
        .execute("SYSTEM FLUSH LOGS", &Params::new())
        .await
        .unwrap();
    for statement in made {
        assert_eq!(statement.trace, CALLER);
        assert_eq!(statement.attribute("db.system.name"), "clickhouse");
        assert_eq!(statement.attribute("db.operation.name"), "select");
        assert_eq!(statement.attribute("db.query.text"), "");
        let params = Params::new().with("id", statement.attribute("clickhouse.query_id"));
        let logged = store
            .query("SELECT log_comment FROM system.query_log WHERE query_id = {id:String} AND type = 'QueryFinish'")
            .params(&params);
        let name: String = logged.fetch_one().await.unwrap();
        assert_eq!(statement.attribute("db.query.summary"), name);
        assert_eq!(statement.name, name);
    }
    for span in &spans {
        let told = format!("{span:?}");
        assert!(
            !told.contains("SELECT") && !told.contains("Ikeja"),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_requests_for_the_same_one_has_the_statements_and_the_others_say_that_they_waited() {
    let mut config = keeping().await;
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    let collector = Collector::start().unwrap();
    let endpoint = ("OPENRIDE_TELEMETRY_OTLP_ENDPOINT", collector.endpoint());
    let api = Process::start(&config, &[endpoint]);
    // long enough for all to come meanwhile
    wire.set(Flow::Slow(Duration::from_secs(2)));
    let answers = join_all((0..6).map(|_| api.get(ROUTE).send())).await;
    for answer in answers {
        assert_eq!(answer.unwrap().status(), 200);
    }
    api.end();

    let spans = collector.spans();
    let mut results = Vec::new();
    for request in requests(&spans) {
        let result = request.attribute("cache.result");
        assert_eq!(
            below(&spans, request).is_empty(),
            result != "miss",
            "{request:#?}"
        );
        results.push(result);
    }
    results.sort_unstable();
    assert_eq!(
        results,
        [
            "coalesced",
            "coalesced",
            "coalesced",
            "coalesced",
            "coalesced",
            "miss"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_written_down_and_every_metric_that_is_written_down_is_shown() {
    let mut config = guarded().await;
    config.cache.enabled = true;
    let key = new_key(&config);
    let store = Store::connect(&config.clickhouse).unwrap();
    // so that a statement fails
    store
        .execute("DROP VIEW agg_bookings", &Params::new())
        .await
        .unwrap();
    let limit = ("OPENRIDE_AUTH_REQUESTS_PER_MINUTE", "5");
    let api = Process::start(&config, &[limit]);
    let asked = async |path: &str| {
        let answer = api.get(path).header("x-api-key", &key).send();
        answer.await.unwrap().status().as_u16()
    };
    assert_eq!(asked(ROUTE).await, 200);
    assert_eq!(asked(ROUTE).await, 200);
    assert_eq!(asked("/v1/metrics/bookings").await, 500);
    assert_eq!(asked("/v1/definitions/dau").await, 200);
    assert_eq!(
        asked("/v1/keys/00000000-0000-0000-0000-000000000000").await,
        404
    );
    assert_eq!(asked(ROUTE).await, 429);
    for number in 0..20 {
        assert_eq!(asked(&format!("/nowhere/{number}")).await, 404);
        assert_eq!(asked(&format!("/v1/{number}")).await, 429);
    }
    let made_up = Method::from_bytes(b"BREW").unwrap();
    let answer = api.ask(made_up, ROUTE).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let page = api
        .get("/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();

    documented("query-api", &page).unwrap();
    let metrics = Metric::all_of(&page);
    let set = |values: &[&str]| -> BTreeSet<String> {
        values.iter().map(|&value| value.to_owned()).collect()
    };
    let requests = &metrics["http_server_request_duration_seconds"].labels;
    let routes = [
        "none",
        ROUTE,
        "/v1/metrics/bookings",
        "/v1/definitions/{metric}",
        "/v1/keys/{id}",
    ];
    assert_eq!(requests["http_route"], set(&routes));
    assert_eq!(requests["http_request_method"], set(&["GET", "_OTHER"]));
    assert_eq!(
        requests["http_response_status_code"],
        set(&["200", "401", "404", "429", "500"])
    );
    let statements = &metrics["db_client_operation_duration_seconds"].labels;
    assert_eq!(
        statements["db_query_summary"],
        set(&["trips", "bookings"]),
        "{statements:#?}"
    );
    assert_eq!(statements["error_type"], set(&["refused"]));
    let results = ["hit", "coalesced", "miss", "bypass", "unkept", "stale"];
    assert_eq!(
        metrics["openride_cache_requests_total"].labels["result"],
        set(&results)
    );
    let pools = &metrics["db_client_connection_count"].labels;
    assert_eq!(
        pools["db_client_connection_pool_name"],
        set(&["postgres", "redis"])
    );
    let shows = |line: &str| page.lines().any(|shown| shown == line);
    assert!(
        shows("openride_cache_requests_total{result=\"hit\"} 1"),
        "{page}"
    );
    assert!(shows("openride_rate_limit_refusals_total 21"), "{page}");
}
