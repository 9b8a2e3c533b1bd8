//! Which pages may ask, and may read what the API answers.

use reqwest::Method;
use serde_json::json;
use shared_schema::access::{Role, Scope};

use crate::{
    api::{Answer, Api, JSON, now, without_events},
    callers::{guarded_without_events, key},
};

const PAGE: &str = "https://dashboard.example";
const PATH: &str = "/v1/definitions";

async fn api(origins: &[&str]) -> Api {
    let mut config = guarded_without_events().await;
    config.auth.requests_per_minute = 2;
    config.http.cors.origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    Api::over(&config, now())
}

/// What a browser asks before a page's request.
async fn preflight(api: &Api, origin: &str, method: &str, headers: &str) -> Answer {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", headers),
    ];
    api.ask(Method::OPTIONS, PATH, &asked).await
}

fn listed<'a>(answer: &'a Answer, header: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = answer.header(header).split(", ").collect();
    names.sort_unstable();
    names
}

/// The headers that tell browsers anything.
fn told(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.keys().map(|name| name.as_str());
    names
        .filter(|name| name.starts_with("access-control-allow"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_may_ask_and_read() {
    let api = api(&[PAGE, "http://localhost:3000"]).await;
    let key = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    // more often than requests are allowed, and without a key
    for _ in 0..4 {
        let asked = preflight(&api, PAGE, "GET", "x-api-key,if-none-match").await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        assert_eq!(asked.header("access-control-allow-origin"), PAGE);
        assert_eq!(asked.header("access-control-max-age"), "3600");
        assert_eq!(
            listed(&asked, "access-control-allow-methods"),
            ["DELETE", "GET", "HEAD", "POST"]
        );
        assert!(
            !asked
                .headers
                .contains_key("access-control-allow-credentials")
        );
        assert!(!asked.headers.contains_key("ratelimit-limit"));
        assert!(asked.headers.contains_key("x-request-id"));
    }
    let headers = [("x-api-key", key.as_str()), ("origin", PAGE)];
    for status in [200, 200, 429] {
        let answer = api.ask(Method::GET, PATH, &headers).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), PAGE);
        assert!(answer.header("vary").contains("Origin"));
        let exposed = listed(&answer, "access-control-expose-headers");
        let exposed: Vec<String> = exposed.iter().map(|name| name.to_lowercase()).collect();
        for name in [
            "etag",
            "ratelimit-remaining",
            "retry-after",
            "warning",
            "x-cache",
            "x-request-id",
        ] {
            assert!(
                exposed.contains(&name.to_owned()),
                "{name} is not in {exposed:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_read_why_it_is_refused() {
    let api = api(&[PAGE]).await;
    let answer = api.ask(Method::GET, PATH, &[("origin", PAGE)]).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (401, PAGE)
    );
    assert_eq!(answer.json()["code"], "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_is_refused_before_it_is_sent() {
    let api = api(&[PAGE]).await;
    for (origin, method, headers) in [
        ("https://other.example", "GET", "x-api-key"),
        (
            "https://dashboard.example.other.example",
            "GET",
            "x-api-key",
        ),
        ("http://dashboard.example", "GET", "x-api-key"),
        ("null", "GET", "x-api-key"),
        (PAGE, "PUT", "x-api-key"),
        (PAGE, "GET", "x-api-key,cookie"),
    ] {
        let answer = preflight(&api, origin, method, headers).await;
        assert_eq!(answer.status, 400, "{origin} {method} {headers}");
        assert_eq!(answer.json()["code"], "preflight_refused");
        assert_eq!(told(&answer), [""; 0]);
    }
    let answer = api
        .ask(
            Method::GET,
            "/openapi.json",
            &[("origin", "https://other.example")],
        )
        .await;
    assert_eq!((answer.status, told(&answer)), (200, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_may_ask_where_that_is_configured() {
    let api = api(&["*"]).await;
    let asked = preflight(
        &api,
        "https://other.example",
        "POST",
        "authorization,content-type",
    )
    .await;
    assert_eq!(
        (asked.status, asked.header("access-control-allow-origin")),
        (200, "*")
    );
    let answer = api
        .ask(
            Method::GET,
            "/openapi.json",
            &[("origin", "https://other.example")],
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, "*")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_may_read_what_is_for_probes() {
    for origins in [["*"], [PAGE]] {
        let api = api(&origins).await;
        for path in ["/metrics", "/health", "/health/live", "/health/ready"] {
            let answer = api.ask(Method::GET, path, &[("origin", PAGE)]).await;
            assert_eq!((answer.status, told(&answer)), (200, vec![]), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_to_browsers_where_no_origin_is_configured() {
    let api = api(&[]).await;
    let asked = preflight(&api, PAGE, "GET", "x-api-key").await;
    assert_eq!(asked.status, 401);
    let answer = api
        .ask(Method::GET, "/openapi.json", &[("origin", PAGE)])
        .await;
    assert_eq!(answer.status, 200);
    for answer in [asked, answer] {
        let mut names = answer.headers.keys().map(|name| name.as_str());
        assert!(!names.any(|name| name.starts_with("access-control-") || name == "vary"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_access_control_no_page_that_is_opened_here_is_answered() {
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
                [shown.problem(), made.problem()],
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
