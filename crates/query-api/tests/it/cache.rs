//! Answers that are kept: what is a hit and what must not be, and what is shown while a server is away.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use devstack::{Flow, Server};
use event_store::Params;
use futures::future::join_all;
use reqwest::Method;
use service_runtime::config::HumanDuration;

use crate::{
    api::{Api, PATIENCE, now},
    kept::{MAY, book, found, keeping},
    wire::through_wire,
};

/// Statements of this name that were sent to the test's database.
async fn statements(api: &Api, name: &str) -> u64 {
    api.execute("SYSTEM FLUSH LOGS").await;
    api.store
        .query(&format!(
            "SELECT count() FROM system.query_log WHERE type = 'QueryFinish' \
             AND log_comment = '{name}' AND has(databases, currentDatabase())"
        ))
        .fetch_one()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_is_kept_for_all_replicas() {
    let config = keeping().await;
    let (one, other) = (Api::over(&config, now()), Api::over(&config, now()));
    let first = one.get(MAY).await;
    assert_eq!((first.status, first.header("x-cache")), (200, "miss"));
    book(&one, "2026-05-10 12:00:00").await;
    for api in [&one, &other, &other] {
        let again = api.get(MAY).await;
        assert_eq!((again.header("x-cache"), &again.text), ("hit", &first.text));
        assert_eq!(again.header("etag"), first.header("etag"));
        assert_eq!(again.header("content-type"), "application/json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wishes_an_answer_anew_gets_one_and_so_does_the_next() {
    let config = keeping().await;
    let (one, other) = (Api::over(&config, now()), Api::over(&config, now()));
    let first = one.get(MAY).await;
    assert_eq!(first.json()["bookings_created"], 0);
    book(&one, "2026-05-10 12:00:00").await;
    let anew = one
        .ask(Method::GET, MAY, &[("cache-control", "no-cache")])
        .await;
    assert_eq!(anew.header("x-cache"), "bypass");
    assert_eq!(anew.json()["bookings_created"], 1);
    assert_ne!(anew.header("etag"), first.header("etag"));
    for api in [&one, &other] {
        let next = api.get(MAY).await;
        assert_eq!((next.header("x-cache"), &next.text), ("hit", &anew.text));
    }
    // of this nothing is kept, not even by the client
    book(&one, "2026-05-10 12:00:00").await;
    let unkept = one
        .ask(Method::GET, MAY, &[("cache-control", "no-store")])
        .await;
    assert_eq!(unkept.json()["bookings_created"], 2);
    assert_eq!(unkept.header("cache-control"), "no-store");
    assert_eq!(one.get(MAY).await.text, anew.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_the_answer_is_told_so() {
    let api = Api::over(&keeping().await, now());
    let tag = api.get(MAY).await.header("etag").to_owned();
    for (sent, status) in [
        (tag.as_str(), 304),
        (&format!("W/{tag}"), 304),
        (&format!("\"other\", {tag}"), 304),
        ("*", 304),
        ("\"other\"", 200),
    ] {
        let answer = api.ask(Method::GET, MAY, &[("if-none-match", sent)]).await;
        assert_eq!(answer.status, status, "{sent}");
        assert_eq!(answer.text.is_empty(), status == 304, "{sent}");
        assert_eq!(answer.header("etag"), tag, "{sent}");
        assert!(
            answer
                .header("cache-control")
                .starts_with("private, max-age=")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_that_are_over_are_kept_longer_than_those_that_fill() {
    let api = Api::over(&keeping().await, now());
    let age = async |path: &str| {
        let answer = api.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.header("cache-control").to_owned()
    };
    for (path, seconds) in [
        (MAY, 300),
        ("/v1/metrics/bookings", 10),
        ("/v1/metrics/bookings?end_date=2026-06-15T10:20:29Z", 300),
        ("/v1/metrics/bookings?end_date=2026-06-15T10:20:30Z", 10),
        (
            "/v1/metrics/bookings?start_date=2026-07-01&end_date=2026-07-02",
            10,
        ),
        (
            "/v1/analytics/trends?metric=mau&start_date=2026-05-01&end_date=2026-05-31",
            3600,
        ),
        (
            "/v1/analytics/funnel?start_date=2026-05-01&end_date=2026-05-31",
            3600,
        ),
        ("/v1/analytics/funnel", 10),
        ("/v1/metrics/realtime", 1),
    ] {
        assert_eq!(
            age(path).await,
            format!("private, max-age={seconds}"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fills_is_asked_anew_when_its_time_is_over() {
    let mut config = keeping().await;
    config.cache.filling = HumanDuration::millis(300);
    let api = Api::over(&config, now());
    let path = "/v1/metrics/bookings";
    assert_eq!(found(&api, path).await, "miss");
    let began = Instant::now();
    // Redis goes by its own clock
    api.clock.advance(TimeDelta::milliseconds(300));
    while found(&api, path).await == "hit" {
        assert!(began.elapsed() < PATIENCE, "it is kept for ever");
        api.clock.advance(TimeDelta::milliseconds(300));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_settled_is_kept_for_a_moment_only() {
    let api = Api::over(&keeping().await, now());
    let path = format!("{MAY}&state=Lagos");
    assert_eq!(
        api.get(&path).await.header("cache-control"),
        "private, max-age=300"
    );
    api.execute(
        "INSERT INTO in_booking (event_id, event_type, event_timestamp, booking_id, decided_at) \
         VALUES (generateUUIDv4(), 'booking.created', '2026-05-10 12:00:00', generateUUIDv4(), now64(3))",
    )
    .await;
    let anew = api
        .ask(Method::GET, &path, &[("cache-control", "no-cache")])
        .await;
    assert_eq!(anew.json()["unsettled"], 1);
    assert_eq!(anew.header("cache-control"), "private, max-age=10");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_questions_share_an_answer_however_they_are_put() {
    let api = Api::over(&keeping().await, now());
    for (path, same) in [
        (
            MAY,
            "/v1/metrics/bookings?end_date=2026-05-31T23:59:59.999&start_date=2026-04-30T23:00:00Z&tz=Africa/Lagos",
        ),
        (
            MAY,
            "/v1/metrics/bookings?start_date=2026-05-01&end_date=2026-05-31&include_time_series=false",
        ),
        (
            "/v1/metrics/trips?state=Lagos",
            "/v1/metrics/trips?state=lagos%20state",
        ),
        (
            "/v1/metrics/trips?city=Ikeja",
            "/v1/metrics/trips?city=IKEJA&state=Lagos",
        ),
        ("/v1/metrics/drivers", "/v1/metrics/drivers?limit=100"),
        (
            "/v1/analytics/funnel",
            "/v1/analytics/funnel?order=ordered&window=30d&steps=user.registered,booking.created,payment.initiated,payment.success,trip.completed",
        ),
        (
            "/v1/analytics/cohort",
            "/v1/analytics/cohort?cohort_type=weekly&periods=12",
        ),
        (
            "/v1/analytics/retention",
            "/v1/analytics/retention?mode=on&user_type=all",
        ),
        (
            "/v1/analytics/geographic",
            "/v1/analytics/geographic?metric=bookings",
        ),
    ] {
        found(&api, path).await;
        assert_eq!(found(&api, same).await, "hit", "{same}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn different_questions_never_do() {
    let api = Api::over(&keeping().await, now());
    let range = "start_date=2026-05-01&end_date=2026-05-31";
    let mut asked = BTreeSet::new();
    for path in [
        "metrics/users?",
        "metrics/bookings?",
        "metrics/bookings?tz=Europe/Berlin&",
        // the same instants, of another clock
        "metrics/bookings?tz=Africa/Algiers&",
        "metrics/bookings?state=Lagos&",
        "metrics/bookings?state=Kano&",
        "metrics/bookings?state=Lagos&city=Ikeja&",
        "metrics/bookings?state=unknown&",
        "metrics/bookings?city=unknown&",
        "metrics/bookings?state=unknown&city=Ikeja&",
        "metrics/bookings?include_time_series=true&",
        "metrics/bookings?include_time_series=true&granularity=hourly&",
        "metrics/drivers?",
        "metrics/drivers?limit=5&",
        "metrics/routes?limit=5&",
        "analytics/funnel?",
        "analytics/funnel?order=strict&",
        "analytics/funnel?window=1d&",
        "analytics/funnel?breakdown=city&",
        "analytics/funnel?steps=booking.created&",
        "analytics/cohort?",
        "analytics/cohort?periods=3&",
        "analytics/cohort?cohort_type=daily&",
        "analytics/retention?",
        "analytics/retention?mode=on_or_after&",
        "analytics/retention?user_type=rider&",
        "analytics/geographic?",
        "analytics/geographic?metric=users&",
        "analytics/trends?metric=mau&",
        "analytics/trends?metric=dau&",
        "analytics/trends?metric=dau&granularity=weekly&",
        "analytics/trends?metric=dau&compare=previous_period&",
    ] {
        let path = format!("/v1/{path}{range}");
        assert_eq!(found(&api, &path).await, "miss", "{path}");
        assert!(asked.insert(path));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_that_ask_at_once_cost_one_statement() {
    let config = keeping().await;
    let replicas = [Api::over(&config, now()), Api::over(&config, now())];
    let asking = (0..1000).map(|number| found(&replicas[number % 2], MAY));
    let mut found = join_all(asking).await;
    found.sort();
    assert_eq!(
        (found[998].as_str(), found[999].as_str()),
        ("hit", "miss"),
        "one of them makes it"
    );
    assert_eq!(statements(&replicas[0], "bookings").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_not_kept() {
    let api = Api::over(&keeping().await, now());
    api.execute("RENAME TABLE agg_bookings TO elsewhere").await;
    let broken = api.get(MAY).await;
    assert_eq!(
        (broken.status, broken.header("cache-control")),
        (500, "no-store")
    );
    api.execute("RENAME TABLE elsewhere TO agg_bookings").await;
    assert_eq!(found(&api, MAY).await, "miss");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_is_used_again_without_a_restart() {
    let mut config = keeping().await;
    let direct = config.clone();
    let wire = through_wire(&mut config, Server::Redis).await;
    let api = Api::over(&config, now());
    wire.set(Flow::Neither);
    assert_eq!(found(&api, MAY).await, "miss");
    wire.set(Flow::Both);
    let began = Instant::now();
    for day in 1.. {
        let path = format!(
            "/v1/metrics/trips?start_date=2026-05-01&end_date=2026-05-{:02}",
            day % 28 + 1
        );
        found(&api, &path).await;
        if found(&Api::over(&direct, now()), &path).await == "hit" {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "nothing is kept in Redis any more"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_clickhouse_is_away_what_was_kept_is_shown_and_said_to_be_stale() {
    let mut config = keeping().await;
    config.cache.metrics = HumanDuration::millis(1);
    let direct = event_store::Store::connect(&config.clickhouse).unwrap();
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    config.clickhouse.connect_timeout = HumanDuration::secs(1);
    config.http.query_deadline = HumanDuration::secs(1);
    let api = Api::over(&config, now());
    let fresh = api.get(MAY).await;
    assert_eq!(fresh.status, 200);
    api.clock.advance(TimeDelta::seconds(1));

    wire.set(Flow::Neither);
    let stale = api.get(MAY).await;
    assert_eq!((stale.status, &stale.text), (200, &fresh.text));
    assert_eq!(stale.header("x-cache"), "hit");
    assert!(
        stale.header("warning").starts_with("110 "),
        "{:?}",
        stale.headers
    );
    assert_eq!(stale.header("cache-control"), "private, max-age=0");
    let never_asked = api.get("/v1/metrics/trips").await;
    assert_eq!(
        (never_asked.status, never_asked.header("retry-after")),
        (503, "2")
    );

    wire.set(Flow::Both);
    direct.execute("SELECT 1", &Params::new()).await.unwrap();
    let again = api.get(MAY).await;
    assert_eq!(
        (
            again.status,
            again.header("x-cache"),
            again.header("warning")
        ),
        (200, "miss", "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_an_answer_and_goes_away_holds_nobody_up() {
    let config = keeping().await;
    let (one, other) = (Api::over(&config, now()), Api::over(&config, now()));
    let made = tokio::spawn({
        let address = one.address();
        async move { cut_off(&address, MAY).await }
    });
    made.await.unwrap();
    let began = Instant::now();
    for api in [&one, &other] {
        assert_eq!(api.get(MAY).await.status, 200);
    }
    // less than a lease lasts, and much less than answers of others are waited for
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
}

/// Sends a request and breaks the connection at once.
async fn cut_off(address: &str, path: &str) {
    use tokio::{io::AsyncWriteExt, net::TcpStream};
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // what was sent is there by then, and the answer as a rule is not
    tokio::time::sleep(Duration::from_millis(5)).await;
    stream.set_zero_linger().unwrap();
}
