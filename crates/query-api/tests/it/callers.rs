//! Who asks: callers with keys and tokens.

use jsonwebtoken::{EncodingKey, Header, encode};
use metadata_store::{
    audit::Act,
    keys::{self, Fingerprint, NewKey},
};
use query_api::{AuthMode, Config};
use reqwest::Method;
use serde_json::{Value, json};
use service_runtime::config::HumanDuration;
use sha2::{Digest, Sha256};
use shared_schema::access::{Role, Scope};
use uuid::Uuid;

use crate::api::{Answer, Api, JSON, databases, now, without_events};

/// What signs the tokens of callers.
pub(crate) const SECRET: &str = "a secret of the tests, longer than 32 bytes";

/// Where the stories go on, as the places of a scope.
pub(crate) const LAGOS: &str = r#"[{"state": "Lagos"}]"#;

/// Databases of which only who is known is told.
pub(crate) async fn guarded() -> Config {
    guarding(databases().await)
}

/// The same without the tables of events.
pub(crate) async fn guarded_without_events() -> Config {
    guarding(without_events().await)
}

/// An API over these databases answers only who is known.
fn guarding(mut config: Config) -> Config {
    config.auth.mode = AuthMode::Required;
    config.auth.recheck = HumanDuration::millis(100);
    config.tokens.secret = SECRET.into();
    config.tokens.issuer = "https://login.openride.example".to_owned();
    config.tokens.audience = "analytics".to_owned();
    config
}

/// A text that could be a key, and is none.
pub(crate) fn unknown_key() -> String {
    format!("ork_{}", hex::encode(Sha256::digest(Uuid::new_v4())))
}

/// Who changes keys past the API.
pub(crate) fn act() -> Act {
    Act {
        actor: "test".to_owned(),
        request_id: None,
    }
}

/// A key that the database has, whoever asked for it.
pub(crate) async fn key(api: &Api, role: Role, scope: Scope, pii: bool) -> String {
    let text = unknown_key();
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
    keys::create(&api.pool, now(), &act(), new, &fingerprint)
        .await
        .unwrap();
    text
}

pub(crate) async fn with(api: &Api, key: &str, method: Method, path: &str) -> Answer {
    api.ask(method, path, &[("x-api-key", key)]).await
}

/// What comes of a question with this key.
pub(crate) async fn status(api: &Api, key: &str, path: &str) -> u16 {
    with(api, key, Method::GET, path).await.status
}

/// The answer to a question with this key, which is a success.
pub(crate) async fn asked(api: &Api, key: &str, path: &str) -> Answer {
    let answer = with(api, key, Method::GET, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer
}

/// Sends JSON.
pub(crate) async fn send(api: &Api, key: &str, method: Method, path: &str, body: Value) -> Answer {
    let headers = [("x-api-key", key), JSON];
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

pub(crate) fn scope(places: &str) -> Scope {
    serde_json::from_str(places).unwrap()
}
