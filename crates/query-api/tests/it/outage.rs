//! A store that is away is said to be, with nothing of its insides.

use chrono::TimeDelta;
use service_runtime::config::Secret;

use crate::api::{Api, databases, now, postgres};

/// A port of this machine that nobody listens to.
fn nobody() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_clickhouse_every_path_says_when_to_try_again() {
    let mut config = databases().await;
    let opened = Api::over(&config, now())
        .json("/v1/metrics/bookings?include_cells=true")
        .await;
    let cell = opened["cells"]["bookings_created"].as_str().unwrap();
    config.clickhouse.url = format!("http://127.0.0.1:{}", nobody()).parse().unwrap();
    let api = Api::over(&config, now());
    let description = api.json("/openapi.json").await;
    let mut asked = 0;
    for (path, does) in description["paths"].as_object().unwrap() {
        let codes = &does["get"]["responses"]["503"]["x-codes"];
        let mut codes = codes.as_array().into_iter().flatten();
        if !codes.any(|code| code == "store_unavailable") {
            continue;
        }
        let path = match path.as_str() {
            "/v1/events" => format!("{path}?cell={cell}"),
            "/v1/analytics/trends" => format!("{path}?metric=dau"),
            _ => path.clone(),
        };
        let answer = api.get(&path).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, "2"),
            "{path}: {}",
            answer.text
        );
        assert_eq!(answer.json()["code"], "store_unavailable", "{path}");
        assert!(
            !answer.text.contains("127.0.0.1") && !answer.text.contains("SELECT"),
            "{path}: {}",
            answer.text
        );
        asked += 1;
    }
    assert_eq!(asked, 15);
    assert_eq!(api.get("/health/ready").await.status, 503);
    assert_eq!(api.get("/health/live").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_does_not_fit_is_an_error_of_ours() {
    let api = Api::start(now()).await;
    api.execute("DROP VIEW agg_bookings").await;
    let answer = api.get("/v1/metrics/bookings").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["code"], "internal");
    assert!(!answer.text.contains("agg_bookings"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_metrics_go_on_once_the_lanes_were_read() {
    let config = databases().await;
    let through = now() - TimeDelta::seconds(3);
    let api = Api::over(&config, now());
    api.lane("openride.events.trip", 0, 0, through).await;
    assert_eq!(
        api.json("/v1/metrics/trips").await["complete_through"],
        "2026-06-15T10:20:27Z"
    );

    postgres(&config, "ALTER TABLE ingest_lane RENAME TO away").await;
    assert_eq!(
        api.json("/v1/metrics/trips").await["complete_through"],
        "2026-06-15T10:20:27Z"
    );
    let ledger = api.get("/v1/pipeline/ledger").await;
    assert_eq!((ledger.status, ledger.header("retry-after")), (503, "2"));
    assert_eq!(ledger.json()["code"], "lanes_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_from_the_start_there_is_no_answer() {
    let mut config = databases().await;
    config.postgres.url =
        Secret::from(format!("postgres://openride@127.0.0.1:{}/x", nobody()).as_str());
    let api = Api::over(&config, now());
    let answer = api.get("/v1/metrics/trips").await;
    assert_eq!(answer.problem(), (503, "lanes_unavailable".to_owned()));
    let ready = api.get("/health/ready").await;
    assert_eq!(
        (ready.status, ready.text.contains("127.0.0.1")),
        (503, false)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_tells_whether_clickhouse_knows_who_reads_for_some_regions() {
    let mut config = databases().await;
    for (user, status) in [("scoped", "ok"), ("nobody", "failed")] {
        config.scoped.user = user.to_owned();
        let api = Api::over(&config, now());
        // the others are answered without it
        let ready = api.json("/health/ready").await;
        let mut checks = ready["checks"].as_array().unwrap().iter();
        let scoped = checks.find(|check| check["name"] == "clickhouse_scoped");
        let told = scoped.map(|check| (&check["status"], &check["optional"]));
        assert_eq!(told, Some((&status.into(), &true.into())), "{ready}");
    }
}
