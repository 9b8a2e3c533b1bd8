//! Whatever comes, the answer is claims or an error, and only a good signature makes claims.

use std::sync::LazyLock;

use futures::FutureExt;
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Value, json};

use super::{
    SECRET, by_secret,
    forge::{claims, claims_but, hmac, hs256, part},
    now,
};
use crate::access::token::{Claims, TokenError, Verifier, keys::KeySet};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(by_secret);

/// Nothing is waited for where there is a secret.
fn verified(token: &str) -> Result<Claims, TokenError> {
    VERIFIER.verify(token, now()).now_or_never().unwrap()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        select(vec!["admin", "HS256", "Lagos", "state", "none"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![
            ".{0,8}",
            select(vec!["state", "city", "keys", "n"]).prop_map(str::to_owned)
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(name, inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

fn claim() -> impl Strategy<Value = &'static str> {
    select(vec![
        "iss", "aud", "exp", "nbf", "sub", "role", "regions", "pii",
    ])
}

fn parameter() -> impl Strategy<Value = &'static str> {
    select(vec![
        "alg", "typ", "kid", "crit", "jku", "jwk", "x5u", "x5c", "zip", "enc", "b64",
    ])
}

proptest! {
    #[test]
    fn a_random_text_is_no_token(text in "(?s).{0,300}") {
        prop_assert!(verified(&text).is_err());
    }

    #[test]
    fn three_random_parts_are_no_token(text in "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}") {
        prop_assert!(verified(&text).is_err());
    }

    #[test]
    fn random_json_with_a_random_signature_is_no_token(
        header in any_json(), payload in any_json(), signature in "[A-Za-z0-9_-]{43}",
    ) {
        let token = format!("{}.{}.{signature}", part(&header), part(&payload));
        prop_assert!(verified(&token).is_err());
    }

    #[test]
    fn a_random_header_makes_no_panic(name in parameter(), value in any_json()) {
        let mut header = json!({"alg": "HS256"});
        header[name] = value;
        let verified = verified(&hmac(&header, &claims(), SECRET.as_bytes()));
        let is_about_it = matches!(
            verified,
            Ok(_) | Err(TokenError::Header { .. } | TokenError::Critical)
        );
        prop_assert!(is_about_it, "{name}: {verified:?}");
    }

    #[test]
    fn a_random_claim_makes_no_panic(name in claim(), value in any_json()) {
        let verdict = verified(&hs256(&claims_but(name, Some(value))));
        let is_about_it = match &verdict {
            Ok(_) => true,
            Err(TokenError::Unfit { claim, .. }) => *claim == name,
            Err(TokenError::Expired { .. }) => name == "exp",
            Err(TokenError::NotYetValid { .. }) => name == "nbf",
            Err(_) => false,
        };
        prop_assert!(is_about_it, "{name}: {verdict:?}");
    }

    #[test]
    fn a_piece_taken_out_of_a_token_makes_it_bad(at: Index, bytes in 1..20_usize) {
        let mut token = hs256(&claims());
        let start = at.index(token.len());
        let end = (start + bytes).min(token.len());
        token.replace_range(start..end, "");
        prop_assert!(verified(&token).is_err());
    }

    #[test]
    fn random_bytes_make_no_panic_as_a_key_set(bytes in vec(any::<u8>(), 0..300)) {
        let _ = KeySet::parse(&bytes);
    }

    #[test]
    fn random_keys_make_no_panic(keys in vec(any_json(), 0..4), n in any_json(), e in any_json()) {
        let mut keys = keys;
        keys.push(json!({"kty": "RSA", "kid": "1", "n": n, "e": e}));
        let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
        prop_assert!(set.is_ok());
    }
}
