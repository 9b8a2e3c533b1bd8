//! Makes tokens, good and bad.

use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode, jwk::Jwk};
use serde::Serialize;
use serde_json::{Value, json};

use super::{SECRET, now};

pub(super) const ISSUER: &str = "https://id.example";
pub(super) const AUDIENCE: &str = "openride-analytics";

/// What `jwk` calls the keys of the fixtures.
pub(super) const FIRST: &str = include_str!("keys/for-tests-only-first.pem");
pub(super) const FIRST_PUBLIC: &str = include_str!("keys/for-tests-only-first.pub.pem");
pub(super) const SECOND: &str = include_str!("keys/for-tests-only-second.pem");
/// Of 1024 bits.
pub(super) const SHORT: &str = include_str!("keys/for-tests-only-short.pem");

/// Claims with which a token is good, for five minutes.
pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": now().timestamp() + 300,
        "sub": "ada@openride.example",
        "role": "analyst",
        "regions": [{"state": "Lagos", "city": "Ikeja"}],
    })
}

/// The good claims with one of them changed, or taken away.
pub(super) fn claims_but(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    let object = claims.as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
    claims
}

/// JSON as a part of a token.
pub(super) fn part(json: &impl Serialize) -> String {
    let key = EncodingKey::from_secret(b"whatever");
    let token = encode(&Header::default(), json, &key).unwrap();
    token.split('.').nth(1).unwrap().to_owned()
}

/// The signature of the parts before it.
pub(super) fn signature(message: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    crypto::sign(message.as_bytes(), key, algorithm).unwrap()
}

/// A token signed with HMAC, whatever its header says.
pub(super) fn hmac(header: &Value, claims: &impl Serialize, secret: &[u8]) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = signature(&message, &key, Algorithm::HS256);
    format!("{message}.{signature}")
}

/// A token of HS256 with the secret of the verifier.
pub(super) fn hs256(claims: &impl Serialize) -> String {
    hmac(
        &json!({"typ": "JWT", "alg": "HS256"}),
        claims,
        SECRET.as_bytes(),
    )
}

pub(super) fn private(pem: &str) -> EncodingKey {
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

/// A token signed with RSA and SHA-256, whatever its header says.
pub(super) fn rsa(header: &Value, claims: &Value, pem: &str) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = signature(&message, &private(pem), Algorithm::RS256);
    format!("{message}.{signature}")
}

/// A good token of RS256.
pub(super) fn rs256(kid: &str, pem: &str) -> String {
    rsa(&json!({"alg": "RS256", "kid": kid}), &claims(), pem)
}

/// A key as it is published.
pub(super) fn jwk(kid: &str, pem: &str) -> Value {
    let jwk = Jwk::from_encoding_key(&private(pem), Algorithm::RS256).unwrap();
    let mut json = serde_json::to_value(jwk).unwrap();
    json["kid"] = kid.into();
    json["use"] = "sig".into();
    json
}

/// A key set as it is published.
pub(super) fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
