//! Keys are made, rotated and revoked.

use chrono::TimeDelta;
use metadata_store::{audit, keys};
use reqwest::Method;
use serde_json::json;
use service_runtime::clock::{Clock as _, SystemClock};
use shared_schema::access::{Role, Scope};

use crate::{
    api::{Api, JSON, now},
    callers::{guarded_without_events, key, send, status, with},
    process,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_used_rotated_and_revoked() {
    let api = Api::over(&guarded_without_events().await, now());
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
    assert_eq!(status(&api, first, "/v1/definitions").await, 200);

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
        assert_eq!(status(&api, secret, "/v1/definitions").await, 200);
    }
    api.clock.advance(TimeDelta::seconds(60));
    assert_eq!(status(&api, first, "/v1/definitions").await, 401);
    assert_eq!(status(&api, &second, "/v1/definitions").await, 200);

    let revoked = with(&api, &admin, Method::DELETE, &path).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(
        status(&api, &second, "/v1/definitions").await,
        401,
        "at once where it was revoked"
    );
    let again = with(&api, &admin, Method::DELETE, &path).await;
    assert_eq!(again.json()["revoked_at"], revoked.json()["revoked_at"]);
    let over = send(&api, &admin, Method::POST, &rotate, json!({})).await;
    assert_eq!(over.problem(), (409, "key_is_over".to_owned()));

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
async fn keys_that_cannot_be_are_not_made() {
    let api = Api::over(&guarded_without_events().await, now());
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
            answer.problem(),
            (status, code.to_owned()),
            "{field}: {}",
            answer.text
        );
        assert!(
            answer.json()["detail"].as_str().unwrap().starts_with(field),
            "{}",
            answer.text
        );
    }
    let headers = [("x-api-key", admin.as_str()), JSON];
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
async fn the_first_key_is_made_by_a_command() {
    let config = guarded_without_events().await;
    let command = |arguments: &[&str]| process::command(&config).args(arguments).output().unwrap();
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
    let api = Api::over(&guarded_without_events().await, now());
    let without = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let with_pii = key(&api, Role::Admin, Scope::Everywhere, true).await;
    let keys = with(&api, &without, Method::GET, "/v1/keys").await.json();
    let id = keys["keys"][1]["id"].as_str().unwrap();
    let path = format!("/v1/keys/{id}/rotate");
    let refused = send(&api, &without, Method::POST, &path, json!({})).await;
    assert_eq!(refused.problem(), (422, "field_out_of_range".to_owned()));
    let rotated = send(&api, &with_pii, Method::POST, &path, json!({})).await;
    assert_eq!(
        (rotated.status, rotated.json()["pii"].as_bool()),
        (200, Some(true))
    );
}
