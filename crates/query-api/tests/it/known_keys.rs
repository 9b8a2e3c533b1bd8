//! What a replica knows of keys, and how soon it knows that they are over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use devstack::{Flow, Server};
use metadata_store::keys;
use reqwest::Method;
use serde_json::json;
use service_runtime::config::HumanDuration;
use sha2::{Digest, Sha256};
use shared_schema::access::{Role, Scope};
use tokio::task::JoinSet;

use crate::{
    api::{Api, PATIENCE, now},
    callers::{act, guarded_without_events, key, send, status, unknown_key, with},
    wire::through_wire,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_elsewhere_is_refused_soon() {
    let config = guarded_without_events().await;
    let (one, other) = (Api::over(&config, now()), Api::over(&config, now()));
    let admin = key(&one, Role::Admin, Scope::Everywhere, false).await;
    let viewer = key(&one, Role::Viewer, Scope::Everywhere, false).await;
    assert_eq!(status(&other, &viewer, "/v1/definitions").await, 200);
    let keys = with(&one, &admin, Method::GET, "/v1/keys").await.json();
    let id = keys["keys"][1]["id"].as_str().unwrap();
    let path = format!("/v1/keys/{id}");
    assert_eq!(with(&one, &admin, Method::DELETE, &path).await.status, 200);
    let began = Instant::now();
    while status(&other, &viewer, "/v1/definitions").await != 401 {
        assert!(began.elapsed() < PATIENCE, "it can still be used");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_administrator_changes_nothing_more_whatever_a_replica_knows() {
    let mut config = guarded_without_events().await;
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
async fn a_revoked_key_is_refused_however_many_are_sent_that_never_existed() {
    let mut config = guarded_without_events().await;
    let direct = Api::over(&config, now());
    let wire = through_wire(&mut config, Server::Postgres).await;
    let api = Arc::new(Api::over(&config, now()));
    let bad = key(&direct, Role::Viewer, Scope::Everywhere, false).await;
    let asked = async |key: &str| status(&api, key, "/v1/definitions").await;
    assert_eq!(asked(&bad).await, 200);
    let known = keys::all(&direct.pool).await.unwrap();
    keys::revoke(&direct.pool, now(), &act(), known[0].id)
        .await
        .unwrap();

    wire.set(Flow::Slow(Duration::from_millis(150)));
    let mut flood = JoinSet::new();
    for _ in 0..40 {
        let api = Arc::clone(&api);
        flood.spawn(async move {
            loop {
                status(&api, &unknown_key(), "/v1/definitions").await;
            }
        });
    }
    // until all turns are taken, and many wait for them
    let began = Instant::now();
    while asked(&unknown_key()).await != 503 {
        assert!(began.elapsed() < PATIENCE, "it has turns for all");
    }
    let began = Instant::now();
    while asked(&bad).await != 401 {
        assert!(began.elapsed() < PATIENCE, "it lets in for ever");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_changed_is_forgotten_and_no_other() {
    let mut config = guarded_without_events().await;
    let wire = through_wire(&mut config, Server::Postgres).await;
    let api = Api::over(&config, now());
    let known = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let admin = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let changed = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let asked = async |key: &str| status(&api, key, "/v1/definitions").await;
    assert_eq!((asked(&known).await, asked(&changed).await), (200, 200));
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
    assert_eq!((asked(&known).await, asked(&changed).await), (200, 503));
}
