//! Who is let in, and what they may.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use devstack::{Flow, Wire};
use jsonwebtoken::{EncodingKey, Header, encode};
use metadata_store::{
    audit::{self, Act},
    keys::{self, Fingerprint, NewKey},
};
use query_api::{AuthMode, Config};
use reqwest::Method;
use serde_json::{Value, json};
use service_runtime::{
    clock::{Clock, SystemClock},
    config::HumanDuration,
};
use sha2::{Digest, Sha256};
use shared_schema::access::{Role, Scope};
use uuid::Uuid;

use crate::api::{Answer, Api, databases};

const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const SECRET: &str = "a secret of the tests, longer than 32 bytes";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-06-15T10:20:30Z")
        .unwrap()
        .to_utc()
}

pub(crate) async fn guarded() -> Config {
    let mut config = databases().await;
    config.auth.mode = AuthMode::Required;
    config.auth.recheck = HumanDuration::millis(100);
    config.tokens.secret = SECRET.into();
    config.tokens.issuer = "https://login.openride.example".to_owned();
    config.tokens.audience = "analytics".to_owned();
    config
}

/// A key that the database has, whoever asked for it.
pub(crate) async fn key(api: &Api, role: Role, scope: Scope, pii: bool) -> String {
    let text = format!("ork_{}", hex::encode(Sha256::digest(Uuid::new_v4())));
    let fingerprint = Fingerprint {
        hash: Sha256::digest(&text).into(),
        hint: text.chars().take(10).collect(),
    };
    let new = NewKey {
        id: Uuid::now_v7(),
        name: role.to_string(),
        role,
        scope,
        may_read_pii: pii,
        expires_at: None,
    };
    let act = Act {
        actor: "test".to_owned(),
        request_id: None,
    };
    keys::create(&api.pool, now(), &act, new, &fingerprint)
        .await
        .unwrap();
    text
}

pub(crate) async fn with(api: &Api, key: &str, method: Method, path: &str) -> Answer {
    api.ask(method, path, &[("x-api-key", key)]).await
}

async fn status(api: &Api, key: &str, path: &str) -> u16 {
    with(api, key, Method::GET, path).await.status
}

/// Sends JSON.
async fn send(api: &Api, key: &str, method: Method, path: &str, body: Value) -> Answer {
    let headers = [("x-api-key", key), ("content-type", "application/json")];
    api.send_body(method, path, &headers, body.to_string())
        .await
}

pub(crate) fn token(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), claims, &key).unwrap()
}

pub(crate) fn claims(role: &str) -> Value {
    json!({
        "iss": "https://login.openride.example",
        "aud": "analytics",
        "sub": "ada",
        "exp": now().timestamp() + 60,
        "role": role,
        "regions": null,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_nothing_is_not_let_in_but_may_read_what_the_api_is() {
    let api = Api::over(&guarded().await, now());
    for path in [
        "/v1/metrics/users",
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
        "/health/ready",
        "/metrics",
    ] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_of_ours_is_refused_in_one_way() {
    let api = Api::over(&guarded().await, now());
    let good = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    assert_eq!(status(&api, &good, "/v1/metrics/users").await, 200);
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
        let answer = with(&api, wrong, Method::GET, "/v1/metrics/users").await;
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
        let answer = api.ask(Method::GET, "/v1/metrics/users", &headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_dead_letters_are_for_those_who_may_see_personal_data() {
    let api = Api::over(&guarded().await, now());
    let path = "/v1/pipeline/dead-letters?include_bytes=true";
    let without = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let answer = with(&api, &without, Method::GET, path).await;
    let problem = answer.json();
    assert_eq!(
        (answer.status, &problem["code"]),
        (403, &json!("personal_data"))
    );
    let may = key(&api, Role::Analyst, Scope::Everywhere, true).await;
    assert_eq!(status(&api, &may, path).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_what_it_is_for() {
    let api = Api::over(&guarded().await, now());
    let mut keys = Vec::new();
    for role in Role::ALL {
        keys.push((role, key(&api, role, Scope::Everywhere, false).await));
    }
    for (path, least) in [
        ("/v1/metrics/users", Role::Viewer),
        ("/v1/metrics/realtime", Role::Viewer),
        ("/v1/analytics/funnel", Role::Viewer),
        ("/v1/definitions/funnel", Role::Viewer),
        ("/v1/pipeline/ledger", Role::Viewer),
        ("/v1/pipeline/dead-letters", Role::Analyst),
        ("/v1/keys", Role::Admin),
    ] {
        for (role, key) in &keys {
            let answer = with(&api, key, Method::GET, path).await;
            match *role >= least {
                true => assert_eq!(answer.status, 200, "{role} {path}"),
                false => {
                    assert_eq!(answer.status, 403, "{role} {path}");
                    assert_eq!(answer.json()["code"], "forbidden");
                    let hint = answer.json()["hint"].to_string();
                    assert!(hint.contains(least.as_str()), "{hint}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_let_in_as_their_claims_say() {
    let api = Api::over(&guarded().await, now());
    let asked = async |token: &str, path: &str| {
        let bearer = format!("Bearer {token}");
        api.ask(Method::GET, path, &[("authorization", &bearer)])
            .await
    };
    assert_eq!(
        asked(&token(&claims("viewer")), "/v1/metrics/users")
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
    let mut config = guarded().await;
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
async fn a_key_is_made_used_rotated_and_revoked() {
    let api = Api::over(&guarded().await, now());
    let admin = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let made = send(
        &api,
        &admin,
        Method::POST,
        "/v1/keys",
        json!({"name": "dashboard", "role": "viewer"}),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.json();
    let (first, id) = (
        made["secret"].as_str().unwrap(),
        made["id"].as_str().unwrap(),
    );
    assert_eq!(status(&api, first, "/v1/metrics/users").await, 200);

    let path = format!("/v1/keys/{id}");
    let shown = with(&api, &admin, Method::GET, &path).await;
    assert_eq!(shown.json()["name"], "dashboard");
    assert!(!shown.text.contains(first), "a secret is shown once");
    let listed = with(&api, &admin, Method::GET, "/v1/keys").await.json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);

    let rotate = format!("{path}/rotate");
    let rotated = send(
        &api,
        &admin,
        Method::POST,
        &rotate,
        json!({"overlap_seconds": 60}),
    )
    .await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let second = rotated.json()["secret"].as_str().unwrap().to_owned();
    for secret in [first, &second] {
        assert_eq!(status(&api, secret, "/v1/metrics/users").await, 200);
    }
    api.clock.advance(TimeDelta::seconds(60));
    assert_eq!(status(&api, first, "/v1/metrics/users").await, 401);
    assert_eq!(status(&api, &second, "/v1/metrics/users").await, 200);

    let revoked = with(&api, &admin, Method::DELETE, &path).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(
        status(&api, &second, "/v1/metrics/users").await,
        401,
        "at once where it was revoked"
    );
    let again = with(&api, &admin, Method::DELETE, &path).await;
    assert_eq!(again.json()["revoked_at"], revoked.json()["revoked_at"]);
    let over = send(&api, &admin, Method::POST, &rotate, json!({})).await;
    assert_eq!(
        (over.status, over.json()["code"].as_str()),
        (409, Some("key_is_over"))
    );

    let told: Vec<String> = audit::of_subject(&api.pool, &keys::subject(id.parse().unwrap()), 10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(told, ["api_key.revoke", "api_key.rotate", "api_key.create"]);
    let entry = &audit::latest(&api.pool, 1).await.unwrap()[0];
    assert_eq!(
        entry.request_id.as_deref(),
        Some(revoked.header("x-request-id"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_elsewhere_is_refused_soon() {
    let config = guarded().await;
    let (one, other) = (Api::over(&config, now()), Api::over(&config, now()));
    let admin = key(&one, Role::Admin, Scope::Everywhere, false).await;
    let viewer = key(&one, Role::Viewer, Scope::Everywhere, false).await;
    assert_eq!(status(&other, &viewer, "/v1/metrics/users").await, 200);
    let keys = with(&one, &admin, Method::GET, "/v1/keys").await.json();
    let id = keys["keys"][1]["id"].as_str().unwrap();
    let path = format!("/v1/keys/{id}");
    assert_eq!(with(&one, &admin, Method::DELETE, &path).await.status, 200);
    let began = Instant::now();
    while status(&other, &viewer, "/v1/metrics/users").await != 401 {
        assert!(began.elapsed() < PATIENCE, "it can still be used");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_are_not_made() {
    let api = Api::over(&guarded().await, now());
    let admin = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let good = json!({"name": "a", "role": "viewer"});
    for (field, value, status, code) in [
        ("name", json!(""), 422, "field_out_of_range"),
        ("name", json!("a".repeat(101)), 422, "field_out_of_range"),
        ("name", json!("a\u{0}b"), 422, "field_out_of_range"),
        ("name", json!(7), 400, "unreadable_body"),
        ("role", json!("root"), 400, "unreadable_body"),
        ("pii", json!(true), 422, "field_out_of_range"),
        (
            "expires_at",
            json!("2026-06-15T10:20:30Z"),
            422,
            "field_out_of_range",
        ),
        ("expires_at", json!("tomorrow"), 400, "unreadable_body"),
        ("regions", json!([]), 400, "unreadable_body"),
        (
            "regions",
            json!([{"state": "Atlantis"}]),
            400,
            "unreadable_body",
        ),
        ("admin", json!(true), 400, "unreadable_body"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = send(&api, &admin, Method::POST, "/v1/keys", body).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (status, Some(code)),
            "{field}: {}",
            answer.text
        );
        assert!(
            answer.json()["detail"].as_str().unwrap().starts_with(field),
            "{}",
            answer.text
        );
    }
    let headers = [
        ("x-api-key", admin.as_str()),
        ("content-type", "application/json"),
    ];
    for (body, status) in [
        (String::new(), 400),
        ("{".to_owned(), 400),
        ("[]".to_owned(), 400),
        (format!("{good}{good}"), 400),
        ("[".repeat(50_000), 400),
        ("x".repeat(65 * 1024), 413),
    ] {
        let size = body.len();
        let answer = api
            .send_body(Method::POST, "/v1/keys", &headers, body)
            .await;
        assert_eq!(answer.status, status, "{size}: {}", answer.text);
        assert!(answer.json()["code"].is_string());
    }
    let all = with(&api, &admin, Method::GET, "/v1/keys").await.json();
    assert_eq!(all["keys"].as_array().unwrap().len(), 1);
    for id in ["no-id", "00000000-0000-0000-0000-000000000000", "%00"] {
        for method in [Method::GET, Method::DELETE] {
            let answer = with(&api, &admin, method, &format!("/v1/keys/{id}")).await;
            assert_eq!(answer.status, 404, "{id}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_limited_over_all_replicas_and_each_caller_by_itself() {
    let mut config = guarded().await;
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
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (429, Some("rate_limited"))
        );
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
    let mut config = guarded().await;
    config.auth.requests_per_minute = 3;
    let (wire, through) = Wire::to(config.redis.url.expose()).await.unwrap();
    config.redis.url = through.into();
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
    let mut config = guarded().await;
    let (wire, through) = Wire::to(config.postgres.url.expose()).await.unwrap();
    let direct = config.clone();
    config.postgres.url = through.into();
    let api = Api::over(&config, now());
    let direct = Api::over(&direct, now());
    let known = key(&direct, Role::Viewer, Scope::Everywhere, false).await;
    let unknown = key(&direct, Role::Viewer, Scope::Everywhere, false).await;
    assert_eq!(status(&api, &known, "/v1/metrics/users").await, 200);
    wire.set(Flow::Neither);
    for _ in 0..3 {
        assert_eq!(status(&api, &known, "/v1/definitions").await, 200);
    }
    let answer = with(&api, &unknown, Method::GET, "/v1/definitions").await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (503, Some("access_unavailable"))
    );
    wire.set(Flow::Both);
    let began = Instant::now();
    while status(&api, &unknown, "/v1/definitions").await != 200 {
        assert!(began.elapsed() < PATIENCE, "it is never let in again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_is_made_by_a_command() {
    let config = guarded().await;
    let command = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_query-api"))
            .args(arguments)
            .env_clear()
            .env("OPENRIDE_POSTGRES_URL", config.postgres.url.expose())
            .output()
            .unwrap()
    };
    let made = command(&["keys", "create", "--name", "ops", "--expires-in", "1h"]);
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert!(
        !String::from_utf8_lossy(&made.stderr).contains(&key),
        "it is printed once, alone"
    );
    // the command goes by the clock of the machine
    let api = Api::over(&config, SystemClock.now());
    let keys = with(&api, &key, Method::GET, "/v1/keys").await.json();
    assert_eq!(keys["keys"][0]["name"], "ops");
    assert_eq!(keys["keys"][0]["created_by"], "command");
    api.clock.advance(TimeDelta::hours(2));
    assert_eq!(status(&api, &key, "/v1/keys").await, 401);
    assert!(!command(&["keys", "create", "--name", ""]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_personal_data_has_no_key_that_may() {
    let api = Api::over(&guarded().await, now());
    let without = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let with_pii = key(&api, Role::Admin, Scope::Everywhere, true).await;
    let keys = with(&api, &without, Method::GET, "/v1/keys").await.json();
    let id = keys["keys"][1]["id"].as_str().unwrap();
    let path = format!("/v1/keys/{id}/rotate");
    let refused = send(&api, &without, Method::POST, &path, json!({})).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (422, Some("field_out_of_range"))
    );
    let rotated = send(&api, &with_pii, Method::POST, &path, json!({})).await;
    assert_eq!(
        (rotated.status, rotated.json()["pii"].as_bool()),
        (200, Some(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_administrator_changes_nothing_more_whatever_a_replica_knows() {
    let mut config = guarded().await;
    config.auth.recheck = HumanDuration::secs(60);
    let (one, other) = (Api::over(&config, now()), Api::over(&config, now()));
    let admin = key(&one, Role::Admin, Scope::Everywhere, false).await;
    let bad = key(&one, Role::Admin, Scope::Everywhere, false).await;
    assert_eq!(status(&other, &bad, "/v1/keys").await, 200);
    let keys = with(&one, &admin, Method::GET, "/v1/keys").await.json();
    let path = format!("/v1/keys/{}", keys["keys"][1]["id"].as_str().unwrap());
    assert_eq!(with(&one, &admin, Method::DELETE, &path).await.status, 200);
    // it still lets in there, and would make itself another key
    assert_eq!(status(&other, &bad, "/v1/definitions").await, 200);
    let made = send(
        &other,
        &bad,
        Method::POST,
        "/v1/keys",
        json!({"name": "mine", "role": "admin"}),
    )
    .await;
    assert_eq!(made.status, 401, "{}", made.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_settings_or_answers() {
    let config = guarded().await;
    let api = Api::over(&config, now());
    let admin = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let settings = serde_json::to_string(&config).unwrap();
    assert!(!settings.contains(SECRET), "{settings}");
    assert!(!format!("{config:?}").contains(SECRET));
    let answer = with(&api, &format!("{admin}x"), Method::GET, "/v1/keys").await;
    assert!(!answer.text.contains(&admin));
}
