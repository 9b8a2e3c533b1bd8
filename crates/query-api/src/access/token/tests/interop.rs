//! Tokens and keys that were made with OpenSSL and Python, not with the library that verifies them here.

use shared_schema::access::{Role, Scope};

use super::{
    by_secret, by_url,
    issuer::{Conduct, Issuer},
    now,
};
use crate::access::token::Claims;

const HS256: &str = include_str!("keys/for-tests-only-hs256.jwt");
const RS256: &str = include_str!("keys/for-tests-only-rs256.jwt");
const KEY_SET: &str = include_str!("keys/for-tests-only-first.jwks.json");

fn grace() -> Claims {
    Claims {
        subject: "grace".to_owned(),
        role: Role::Viewer,
        scope: Scope::Everywhere,
        may_read_pii: true,
        expires_at: now() + chrono::TimeDelta::seconds(300),
    }
}

#[tokio::test]
async fn a_token_of_hs256_from_elsewhere_is_verified() {
    let verified = by_secret().verify(HS256.trim_end(), now()).await;
    assert_eq!(verified, Ok(grace()));
}

#[tokio::test]
async fn a_token_of_rs256_from_elsewhere_is_verified() {
    let issuer = Issuer::start(Conduct::Send(KEY_SET.to_owned()));
    let verified = by_url(&issuer.url()).verify(RS256.trim_end(), now()).await;
    assert_eq!(verified, Ok(grace()));
}
