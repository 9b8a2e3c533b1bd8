//! What strangers and callers may try: to hold, to fill, to outlast, to borrow a page.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use devstack::{Flow, ServicesRole, Wire};
use event_store::StoreError;
use futures::future::join_all;
use metadata_store::{audit::Act, keys};
use query_api::{AuthMode, Config};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use service_runtime::{
    clock::{Clock, SystemClock},
    config::{ByteSize, HumanDuration},
};
use sha2::{Digest, Sha256};
use shared_schema::access::{Role, Scope};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{
    api::{Answer, Api, PATIENCE, databases, now, without_events},
    callers::{guarded, guarded_without_events, key, with},
    process::{Process, new_key},
};

/// What a busy machine adds.
const SLACK: Duration = Duration::from_secs(2);
const JSON: (&str, &str) = ("content-type", "application/json");
const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";

fn code(answer: &Answer) -> (u16, String) {
    let problem: Value = answer.json();
    assert_eq!(answer.header("content-type"), "application/problem+json");
    (answer.status, problem["code"].as_str().unwrap().to_owned())
}

async fn raw(api: &Api, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(api.address()).await.unwrap();
    let head = head.replace('\n', "\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_is_ended_and_makes_room_for_another() {
    let mut config = without_events().await;
    config.http.max_connections = 1;
    config.http.workers = 2;
    config.http.client_timeout = HumanDuration::secs(2);
    let api = Api::over(&config, now());
    let whole = api.get("/docs/swagger-ui-bundle.js").await.text.len();
    // waits for the connection of that request to end, and then reads nothing
    let page = "GET /docs/swagger-ui-bundle.js HTTP/1.1\nhost: localhost\n\n";
    let mut stalled = raw(&api, page).await;
    stalled.readable().await.unwrap();
    let began = Instant::now();
    let other = timeout(PATIENCE, api.get("/health/live")).await;
    assert_eq!(other.expect("there is room").status, 200);
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(1), "{waited:?}");
    let mut read = Vec::new();
    // whether it is reset or just ends
    let _ = stalled.read_to_end(&mut read).await;
    assert!(read.len() < whole, "{} of {whole}", read.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let mut config = without_events().await;
    config.http.client_timeout = HumanDuration::secs(1);
    let api = Api::over(&config, now());
    let head = "POST /v1/keys HTTP/1.1\nhost: localhost\ncontent-type: application/json\ncontent-length: 100\n\n{";
    let mut stream = raw(&api, head).await;
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.expect("it is answered").unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"body_timed_out\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_json_that_is_said_to_be_and_can_be_decoded() {
    let api = Api::over(&without_events().await, now());
    let body = json!({"name": "a", "role": "viewer"}).to_string();
    let send = async |headers: &[(&str, &str)]| {
        api.send_body(Method::POST, "/v1/keys", headers, body.clone())
            .await
    };
    let foreign = (415, "unsupported_media_type".to_owned());
    assert_eq!(code(&send(&[]).await), foreign);
    for other in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        assert_eq!(code(&send(&[("content-type", other)]).await), foreign);
    }
    let packed = [JSON, ("content-encoding", "gzip")];
    let broken = (400, "unreadable_body".to_owned());
    assert_eq!(code(&send(&packed).await), broken);
    let keys = api.json("/v1/keys").await;
    assert_eq!(keys["keys"], json!([]));
    let said = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(send(&said).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_access_control_no_page_that_is_opened_here_is_answered() {
    const PAGE: &str = "https://dashboard.example";
    let mut config = without_events().await;
    config.http.cors.origins = vec![PAGE.to_owned()];
    let api = Api::over(&config, now());
    let body = json!({"name": "a", "role": "admin"}).to_string();
    let foreign = (403, "foreign_page".to_owned());
    let host = api.address();
    let own = format!("http://{host}");
    for (header, refused) in [
        (("host", "rides.example"), true),
        (("host", "127.0.0.1.rides.example"), true),
        (("origin", "https://rides.example"), true),
        (("origin", "null"), true),
        (("host", "localhost:8097"), false),
        (("origin", own.as_str()), false),
        (("origin", PAGE), false),
    ] {
        let shown = api.ask(Method::GET, "/v1/keys", &[header]).await;
        let made = api
            .send_body(Method::POST, "/v1/keys", &[JSON, header], body.clone())
            .await;
        match refused {
            true => assert_eq!(
                [code(&shown), code(&made)],
                [foreign.clone(), foreign.clone()]
            ),
            false => assert_eq!((shown.status, made.status), (200, 201), "{header:?}"),
        }
    }
    // with access control it may have any name
    let api = Api::over(&guarded_without_events().await, now());
    let key = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let headers = [
        ("x-api-key", key.as_str()),
        ("host", "rides.example"),
        ("origin", PAGE),
    ];
    assert_eq!(
        api.ask(Method::GET, "/v1/definitions", &headers)
            .await
            .status,
        200
    );
}

/// A text that could be a key, and is none.
fn never() -> String {
    format!("ork_{}", hex::encode(Sha256::digest(Uuid::new_v4())))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_however_many_are_sent_that_never_existed() {
    let config = guarded_without_events().await;
    let direct = Api::over(&config, now());
    let (wire, through) = Wire::to(config.postgres.url.expose()).await.unwrap();
    let mut config = config;
    config.postgres.url = through.into();
    let api = Arc::new(Api::over(&config, now()));
    let bad = key(&direct, Role::Viewer, Scope::Everywhere, false).await;
    let status = async |key: &str| with(&api, key, Method::GET, "/v1/definitions").await.status;
    assert_eq!(status(&bad).await, 200);
    let known = keys::all(&direct.pool).await.unwrap();
    let act = Act {
        actor: "test".to_owned(),
        request_id: None,
    };
    keys::revoke(&direct.pool, now(), &act, known[0].id)
        .await
        .unwrap();

    wire.set(Flow::Slow(Duration::from_millis(150)));
    let mut flood = JoinSet::new();
    for _ in 0..40 {
        let api = Arc::clone(&api);
        flood.spawn(async move {
            loop {
                with(&api, &never(), Method::GET, "/v1/definitions").await;
            }
        });
    }
    // all turns are taken, and many wait for them
    assert_eq!(status(&never()).await, 503);
    let began = Instant::now();
    while status(&bad).await != 401 {
        assert!(began.elapsed() < PATIENCE, "it lets in for ever");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_changed_is_forgotten_and_no_other() {
    let mut config = guarded_without_events().await;
    let (wire, through) = Wire::to(config.postgres.url.expose()).await.unwrap();
    config.postgres.url = through.into();
    let api = Api::over(&config, now());
    let known = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let admin = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let changed = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let status = async |key: &str| with(&api, key, Method::GET, "/v1/definitions").await.status;
    assert_eq!((status(&known).await, status(&changed).await), (200, 200));
    let hash = Sha256::digest(&changed).into();
    let id = keys::by_hash(&api.pool, &hash)
        .await
        .unwrap()
        .unwrap()
        .key
        .id;
    let path = format!("/v1/keys/{id}/rotate");
    let rotated = with(&api, &admin, Method::POST, &path).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    wire.set(Flow::Neither);
    assert_eq!((status(&known).await, status(&changed).await), (200, 503));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_statements_run_at_once_than_may() {
    let mut config = databases().await;
    let (wire, through) = Wire::to(config.clickhouse.url.as_str()).await.unwrap();
    config.clickhouse.url = through.parse().unwrap();
    config.http.concurrent_queries = 1;
    let api = Api::over(&config, now());
    wire.set(Flow::Slow(Duration::from_millis(500)));
    let ask = async |limit: usize| {
        let path = format!("/v1/metrics/drivers?limit={limit}");
        let began = Instant::now();
        let answer = api.get(&path).await;
        (answer, began.elapsed())
    };
    let (answer, alone) = ask(1).await;
    assert_eq!(answer.status, 200);
    let together = join_all((2..6).map(&ask)).await;
    let slowest = together.iter().map(|(_, took)| *took).max().unwrap();
    assert!(slowest > 3 * alone, "{alone:?} {slowest:?}");
    assert!(together.iter().all(|(answer, _)| answer.status == 200));

    config.http.query_deadline = HumanDuration::secs(1);
    let api = Api::over(&config, now());
    let ask = async |limit: usize| {
        let began = Instant::now();
        let answer = api.get(&format!("/v1/metrics/drivers?limit={limit}")).await;
        (answer, began.elapsed())
    };
    let together = join_all((1..9).map(&ask)).await;
    let late = |(answer, _): &&(Answer, Duration)| answer.status != 200;
    let late: Vec<_> = together.iter().filter(late).collect();
    assert!(!late.is_empty());
    for (answer, took) in late {
        assert_eq!(code(answer), (503, "busy".to_owned()));
        assert_eq!(answer.header("retry-after"), "2");
        // that of each of its statements is waited for for half a second
        assert!(*took < Duration::from_secs(2) + SLACK, "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_needs_too_much_memory_is_no_outage() {
    let mut config = databases().await;
    config.cache.enabled = true;
    config.cache.analyses = HumanDuration::millis(1);
    let now = SystemClock.now();
    let api = Api::over(&config, now);
    api.execute(
        "INSERT INTO in_booking (event_id, event_type, event_timestamp, booking_id, rider_id, region_settled, state, city, decided_at) \
         SELECT generateUUIDv4(), 'booking.created', now64(3) - INTERVAL 3 DAY, generateUUIDv4(), generateUUIDv4(), true, 'Lagos', 'Ikeja', now64(3) \
         FROM numbers(300000)",
    )
    .await;
    let day = |days| (now - TimeDelta::days(days)).date_naive();
    let path = format!(
        "/v1/analytics/funnel?steps=booking.created,trip.started&start_date={}&end_date={}",
        day(6),
        day(2)
    );
    let path = path.as_str();
    // what is kept of it is not shown instead, as in an outage
    assert_eq!(api.json(path).await["total_users_entered"], 300_000);
    config.http.query_memory = ByteSize::mib(1);
    let api = Api::over(&config, now + TimeDelta::seconds(1));
    let answer = api.get(path).await;
    assert_eq!(code(&answer), (422, "query_too_large".to_owned()));
    assert_eq!(answer.header("retry-after"), "");

    let much = "SELECT length(groupArray(number)) FROM numbers(10000000)";
    let error = api
        .store
        .query(much)
        .memory(1 << 20)
        .fetch_one::<u64>()
        .await;
    assert!(matches!(error, Err(error) if error.is_over_its_memory()));
    let bounded = api
        .store
        .query(much)
        .setting("max_memory_usage_for_user", 1 << 20);
    let error = bounded.fetch_one::<u64>().await;
    assert!(
        matches!(error, Err(ref error @ StoreError::Server { code: 241, .. }) if !error.is_over_its_memory()),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_do_not_queue_for_answers_that_nobody_keeps() {
    let mut config = databases().await;
    config.cache.enabled = true;
    let (wire, through) = Wire::to(config.clickhouse.url.as_str()).await.unwrap();
    config.clickhouse.url = through.parse().unwrap();
    // by a clock that goes: what took longer than it is fresh is kept by nobody
    let replicas = [(); 3].map(|()| Process::start(&config, &[]));
    wire.set(Flow::Slow(Duration::from_secs(2)));
    let ask = async |api: &Process, state: &str| {
        let began = Instant::now();
        let path = format!("/v1/metrics/realtime?state={state}");
        let answer = api.get(&path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        began.elapsed()
    };
    let alone = ask(&replicas[0], "Oyo").await;
    let together = replicas.iter().map(|api| ask(api, "Lagos"));
    for took in join_all(together).await {
        // as long as it would be fresh is waited for
        assert!(
            took < alone + Duration::from_secs(1) + SLACK / 2,
            "{took:?} {alone:?}"
        );
    }
}

/// So much later the second of two is asked.
const LATER: Duration = Duration::from_millis(500);

/// Two replicas with these settings, whose way to ClickHouse is the wire.
async fn two_replicas(settings: &[(&str, &str)]) -> (Wire, [Process; 2]) {
    let mut config = databases().await;
    config.cache.enabled = true;
    let (wire, through) = Wire::to(config.clickhouse.url.as_str()).await.unwrap();
    config.clickhouse.url = through.parse().unwrap();
    (wire, [(); 2].map(|()| Process::start(&config, settings)))
}

/// How two replicas answer, one asked after the other, and what each took.
async fn one_after_the_other(replicas: &[Process; 2], path: &str) -> [(Response, Duration); 2] {
    let ask = async |api: &Process, after: Duration| {
        sleep(after).await;
        let began = Instant::now();
        (api.get(path).send().await.unwrap(), began.elapsed())
    };
    let [one, other] = replicas;
    let answers = tokio::join!(ask(one, Duration::ZERO), ask(other, LATER));
    answers.into()
}

/// The status of an answer, where it came from, and whether it is said to be old.
fn told(answer: &Response) -> (u16, &str, bool) {
    let headers = answer.headers();
    let cache = headers["x-cache"].to_str().unwrap();
    (
        answer.status().as_u16(),
        cache,
        headers.contains_key("warning"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_makes_an_answer_takes_what_another_makes_meanwhile() {
    // the other is waited for for two seconds, and after four its answer is old
    let settings = [
        ("OPENRIDE_HTTP_QUERY_DEADLINE", "4s"),
        ("OPENRIDE_CACHE_FILLING", "4s"),
    ];
    let (wire, replicas) = two_replicas(&settings).await;
    wire.set(Flow::Slow(Duration::from_secs(3)));
    let path = "/v1/metrics/bookings";
    let [(first, alone), (second, took)] = one_after_the_other(&replicas, path).await;
    assert_eq!(
        [told(&first), told(&second)],
        [(200, "miss", false), (200, "hit", false)]
    );
    assert!(alone > Duration::from_secs(2) + LATER, "{alone:?}");
    let behind = (took + LATER).saturating_sub(alone);
    assert!(behind < SLACK / 2, "{behind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_keeps_is_made_by_each_replica_in_its_own_time() {
    let settings = [
        ("OPENRIDE_HTTP_QUERY_DEADLINE", "4s"),
        ("OPENRIDE_CACHE_FILLING", "1s"),
    ];
    let (wire, replicas) = two_replicas(&settings).await;
    wire.set(Flow::Slow(Duration::from_millis(2500)));
    // one statement after the other, each within the deadline
    for (answer, took) in one_after_the_other(&replicas, "/v1/metrics/payments").await {
        assert_eq!(told(&answer), (200, "miss", false));
        assert!(took > Duration::from_secs(4), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_another_replica_waits_half_a_deadline_longer_at_most() {
    let (wire, replicas) = two_replicas(&[("OPENRIDE_HTTP_QUERY_DEADLINE", "4s")]).await;
    wire.set(Flow::Neither);
    let path = "/v1/metrics/bookings?start_date=2026-05-01&end_date=2026-05-31";
    let [(first, alone), (second, took)] = one_after_the_other(&replicas, path).await;
    assert_eq!(
        [first.status(), second.status()].map(|status| status.as_u16()),
        [503; 2]
    );
    let bound = alone + Duration::from_secs(2) + SLACK / 2;
    assert!(took < bound, "{took:?} {alone:?}");
}

/// Two callers of an API that needs a second for each statement, and runs two at once.
async fn two_callers(mut config: Config) -> (Api, Wire, [String; 2]) {
    let (wire, through) = Wire::to(config.clickhouse.url.as_str()).await.unwrap();
    config.clickhouse.url = through.parse().unwrap();
    config.http.concurrent_queries = 2;
    let api = Api::over(&config, now());
    let one = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let other = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    wire.set(Flow::Slow(Duration::from_secs(1)));
    (api, wire, [one, other])
}

fn drivers(limit: usize) -> String {
    format!("/v1/metrics/drivers?limit={limit}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_asks_much_at_once_leaves_turns_to_others() {
    let (api, _wire, [much, little]) = two_callers(guarded().await).await;
    let ask = async |key: &str, limit: usize| {
        let began = Instant::now();
        let answer = with(&api, key, Method::GET, &drivers(limit)).await;
        (answer.status, began.elapsed())
    };
    let (status, alone) = ask(&little, 1).await;
    assert_eq!(status, 200);
    let flood = join_all((2..8).map(|limit| ask(&much, limit)));
    let other = async {
        sleep(LATER).await;
        ask(&little, 8).await
    };
    let (flood, (status, took)) = tokio::join!(flood, other);
    assert_eq!(status, 200);
    assert!(took < 2 * alone, "{took:?} {alone:?}");
    let slowest = flood.iter().map(|(_, took)| *took).max().unwrap();
    assert!(slowest > 3 * alone, "{slowest:?} {alone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_turn_is_answered_though_who_asked_the_same_before_has_none() {
    let mut config = guarded().await;
    config.cache.enabled = true;
    config.http.query_deadline = HumanDuration::secs(4);
    let (api, _wire, [much, little]) = two_callers(config).await;
    let ask = async |key: &str, limit: usize, after: Duration| {
        sleep(after).await;
        with(&api, key, Method::GET, &drivers(limit)).await
    };
    let flood = join_all((1..7).map(|limit| ask(&much, limit, Duration::ZERO)));
    let (_, first, second) = tokio::join!(flood, ask(&much, 7, LATER / 2), ask(&little, 7, LATER));
    assert_eq!(code(&first), (503, "busy".to_owned()));
    assert_eq!((second.status, second.header("x-cache")), (200, "miss"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_continued_for_those_who_are_let_in() {
    let mut config = without_events().await;
    config.auth.mode = AuthMode::Required;
    let key = new_key(&config);
    let mut api = Process::start(&config, &[]);
    for (path, key, is_continued) in [
        ("/v1/definitions", "", false),
        ("/v1/definitions", &never(), false),
        ("/openapi.json", "", false),
        ("/v1/definitions", &key, true),
        ("/v1/nowhere", &key, true),
    ] {
        let request = api
            .get(path)
            .header("traceparent", format!("00-{CALLER}-b7ad6b7169203331-01"));
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
    let mut config = databases().await;
    config.auth.mode = AuthMode::Required;
    let key = new_key(&config);
    let (wire, through) = Wire::to(config.postgres.url.expose()).await.unwrap();
    config.postgres.url = through.into();
    let mut api = Process::start(&config, &[("OPENRIDE_AUTH_RECHECK", "1ms")]);
    let ask = async |id: &str| {
        let request = api.get("/v1/definitions").header("x-request-id", id);
        let request = request.header("x-api-key", &key);
        let trace = format!("00-{CALLER}-b7ad6b7169203331-01");
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

#[tokio::test(flavor = "multi_thread")]
async fn the_services_role_adds_to_the_audit_and_cannot_undo_its_protection() {
    let mut config = guarded().await;
    let owner = config.postgres.url.expose().to_owned();
    let role = ServicesRole::make(&owner).await;
    config.postgres.url = role.url().into();
    let api = Api::over(&config, now());
    let admin = key(&api, Role::Admin, Scope::Everywhere, false).await;
    for path in ["/v1/keys", "/v1/pipeline/ledger"] {
        let answer = with(&api, &admin, Method::GET, path).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let services = devstack::postgres_client(role.url()).await;
    for refused in [
        "UPDATE audit_entry SET actor = 'nobody'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_entry_is_append_only ON audit_entry",
        "DROP TABLE audit_entry",
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('1')",
        "UPDATE __diesel_schema_migrations SET version = '1'",
        "DELETE FROM __diesel_schema_migrations",
    ] {
        let error = services.batch_execute(refused).await.unwrap_err();
        let code = error.code().map(|code| code.code().to_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{refused}: {error:?}");
    }
    // as a later migration does
    let migrate = devstack::postgres_client(&owner).await;
    let table = "CREATE TABLE later (id int)";
    migrate.batch_execute(table).await.unwrap();
    let change = "INSERT INTO later VALUES (1); DELETE FROM later";
    services.batch_execute(change).await.unwrap();
    role.end().await;
}
