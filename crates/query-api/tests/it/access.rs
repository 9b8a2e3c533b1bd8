//! Who is let in, and what they may.

use std::time::Instant;

use devstack::{Flow, Server};
use reqwest::Method;
use serde_json::json;
use shared_schema::access::{Role, Scope};

use crate::{
    api::{Api, PATIENCE, now},
    callers::{claims, guarded, guarded_without_events, key, status, token, with},
    wire::through_wire,
};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_nothing_is_not_let_in_but_may_read_what_the_api_is() {
    let api = Api::over(&guarded_without_events().await, now());
    for path in [
        "/v1/definitions",
        "/v1/keys",
        "/v1/no/such/path",
        "/v1",
        "/v1/",
    ] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.json()["code"], "unauthenticated", "{path}");
        assert!(
            answer.header("www-authenticate").starts_with("Bearer"),
            "{path}"
        );
        assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
    }
    for path in [
        "/openapi.json",
        "/docs/",
        "/docs/errors",
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
    ] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_of_ours_is_refused_in_one_way() {
    let api = Api::over(&guarded_without_events().await, now());
    let good = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    assert_eq!(status(&api, &good, "/v1/definitions").await, 200);
    let other = format!("ork_{}", "0".repeat(64));
    for wrong in [
        "",
        "ork_",
        good.strip_suffix(|_: char| true).unwrap(),
        &format!("{good}0"),
        &good.to_uppercase(),
        &other,
        "' OR 1=1 --",
    ] {
        let answer = with(&api, wrong, Method::GET, "/v1/definitions").await;
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (401, Some("the API key is not valid")),
            "{wrong}"
        );
        assert!(!answer.text.contains(&good));
    }
    // nor is it one where tokens are
    let bearer = format!("Bearer {good}");
    for headers in [
        vec![("authorization", bearer.as_str())],
        vec![("authorization", good.as_str())],
        vec![("authorization", "Basic YTpi")],
        vec![("x-api-key", good.as_str()), ("x-api-key", good.as_str())],
        vec![
            ("x-api-key", good.as_str()),
            ("authorization", bearer.as_str()),
        ],
    ] {
        let answer = api.ask(Method::GET, "/v1/definitions", &headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_dead_letters_are_for_those_who_may_see_personal_data() {
    let api = Api::over(&guarded().await, now());
    let path = "/v1/pipeline/dead-letters?include_bytes=true";
    let without = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let answer = with(&api, &without, Method::GET, path).await;
    assert_eq!(answer.problem(), (403, "personal_data".to_owned()));
    let may = key(&api, Role::Analyst, Scope::Everywhere, true).await;
    assert_eq!(status(&api, &may, path).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_let_in_as_their_claims_say() {
    let api = Api::over(&guarded_without_events().await, now());
    let asked = async |token: &str, path: &str| {
        let bearer = format!("Bearer {token}");
        api.ask(Method::GET, path, &[("authorization", &bearer)])
            .await
    };
    assert_eq!(
        asked(&token(&claims("viewer")), "/v1/definitions")
            .await
            .status,
        200
    );
    assert_eq!(
        asked(&token(&claims("viewer")), "/v1/keys").await.status,
        403
    );
    assert_eq!(
        asked(&token(&claims("admin")), "/v1/keys").await.status,
        200
    );
    for (claim, value) in [
        ("exp", json!(now().timestamp() - 60)),
        ("aud", json!("another")),
        ("iss", json!("another")),
        ("role", json!("root")),
        ("role", json!(null)),
        ("regions", json!([{"state": "Atlantis"}])),
    ] {
        let mut claims = claims("admin");
        claims[claim] = value;
        let answer = asked(&token(&claims), "/v1/keys").await;
        assert_eq!(answer.status, 401, "{claim}: {}", answer.text);
    }
    let mut without = claims("admin");
    without.as_object_mut().unwrap().remove("regions");
    assert_eq!(asked(&token(&without), "/v1/keys").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_tokens_are_not_accepted_they_are_not() {
    let mut config = guarded_without_events().await;
    config.tokens = query_api::TokenConfig::default();
    let api = Api::over(&config, now());
    let bearer = format!("Bearer {}", token(&claims("admin")));
    let answer = api
        .ask(Method::GET, "/v1/keys", &[("authorization", &bearer)])
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["detail"], "tokens are not accepted here");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_limited_over_all_replicas_and_each_caller_by_itself() {
    let mut config = guarded_without_events().await;
    config.auth.requests_per_minute = 10;
    let replicas = [Api::over(&config, now()), Api::over(&config, now())];
    let one = key(&replicas[0], Role::Viewer, Scope::Everywhere, false).await;
    let other = key(&replicas[0], Role::Viewer, Scope::Everywhere, false).await;
    for number in 1..=10_usize {
        let answer = with(&replicas[number % 2], &one, Method::GET, "/v1/definitions").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-limit"), "10");
        assert_eq!(
            answer.header("ratelimit-remaining"),
            (10 - number).to_string()
        );
    }
    for api in &replicas {
        let answer = with(api, &one, Method::GET, "/v1/definitions").await;
        assert_eq!(answer.problem(), (429, "rate_limited".to_owned()));
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(
            answer.header("ratelimit-reset"),
            answer.header("retry-after")
        );
    }
    assert_eq!(status(&replicas[0], &other, "/v1/definitions").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_replica_limits_by_itself() {
    let mut config = guarded_without_events().await;
    config.auth.requests_per_minute = 3;
    let wire = through_wire(&mut config, Server::Redis).await;
    wire.set(Flow::Neither);
    let api = Api::over(&config, now());
    let key = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(status(&api, &key, "/v1/definitions").await);
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_away_known_keys_let_in_and_others_are_told_to_wait() {
    let mut config = guarded_without_events().await;
    let direct = Api::over(&config, now());
    let wire = through_wire(&mut config, Server::Postgres).await;
    let api = Api::over(&config, now());
    let known = key(&direct, Role::Viewer, Scope::Everywhere, false).await;
    let unknown = key(&direct, Role::Viewer, Scope::Everywhere, false).await;
    assert_eq!(status(&api, &known, "/v1/definitions").await, 200);
    wire.set(Flow::Neither);
    for _ in 0..3 {
        assert_eq!(status(&api, &known, "/v1/definitions").await, 200);
    }
    let answer = with(&api, &unknown, Method::GET, "/v1/definitions").await;
    assert_eq!(answer.problem(), (503, "access_unavailable".to_owned()));
    wire.set(Flow::Both);
    let began = Instant::now();
    while status(&api, &unknown, "/v1/definitions").await != 200 {
        assert!(began.elapsed() < PATIENCE, "it is never let in again");
    }
}
