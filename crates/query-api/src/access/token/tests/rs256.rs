use futures::future::join_all;
use jsonwebtoken::DecodingKey;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    SECRET, by_url,
    forge::{FIRST, FIRST_PUBLIC, SECOND, claims, claims_but, hmac, hs256, jwk, part, rs256, rsa},
    issuer::Issuer,
    now,
};
use crate::access::token::{Claims, TokenError};

const WRONG_ALGORITHM: TokenError = TokenError::Header { algorithm: "RS256" };

/// By an issuer with the first key under the name `first`.
async fn verified(token: &str) -> Result<Claims, TokenError> {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    by_url(&issuer.url()).verify(token, now()).await
}

#[tokio::test]
async fn a_good_token_is_verified_with_the_published_key() {
    let claims = verified(&rs256("first", FIRST)).await.unwrap();
    assert_eq!(claims.subject, "ada@openride.example");
}

#[tokio::test]
async fn claims_are_checked_as_everywhere() {
    let token = rsa(
        &json!({"alg": "RS256", "kid": "first"}),
        &claims_but("aud", None),
        FIRST,
    );
    let error = verified(&token).await.unwrap_err();
    assert!(matches!(error, TokenError::Missing { claim: "aud", .. }));
}

#[tokio::test]
async fn the_public_key_is_no_secret_of_hmac() {
    let public = DecodingKey::from_rsa_pem(FIRST_PUBLIC.as_bytes()).unwrap();
    let modulus = jwk("first", FIRST)["n"].as_str().unwrap().to_owned();
    let secrets: [Vec<u8>; 7] = [
        FIRST_PUBLIC.into(),
        FIRST_PUBLIC.trim_end().into(),
        public.try_get_as_bytes().unwrap().to_vec(),
        jwk("first", FIRST).to_string().into(),
        modulus.into(),
        SECRET.into(),
        Vec::new(),
    ];
    for secret in secrets {
        for (algorithm, expected) in [("HS256", WRONG_ALGORITHM), ("RS256", TokenError::Signature)]
        {
            let header = json!({"alg": algorithm, "kid": "first"});
            let token = hmac(&header, &claims(), &secret);
            assert_eq!(verified(&token).await, Err(expected), "{algorithm}");
        }
    }
}

#[rstest]
#[case("none")]
#[case("HS256")]
#[case("RS384")]
#[case("RS512")]
#[case("PS256")]
#[case("ES256")]
#[case("rs256")]
#[tokio::test]
async fn an_algorithm_that_is_not_configured_is_refused(#[case] name: &str) {
    let header = json!({"alg": name, "kid": "first"});
    assert_eq!(
        verified(&rsa(&header, &claims(), FIRST)).await,
        Err(WRONG_ALGORITHM)
    );
    let unsigned = format!("{}.{}.", part(&header), part(&claims()));
    assert_eq!(verified(&unsigned).await, Err(WRONG_ALGORITHM));
}

#[tokio::test]
async fn a_token_of_another_key_under_a_good_name_is_refused() {
    assert_eq!(
        verified(&rs256("first", SECOND)).await,
        Err(TokenError::Signature)
    );
}

#[tokio::test]
async fn a_change_of_any_part_is_noticed() {
    let token = rs256("first", FIRST);
    let parts: Vec<_> = token.split('.').collect();
    let header = part(&json!({"alg": "RS256", "kid": "first", "typ": "JWT"}));
    let payload = part(&claims_but("role", Some("admin".into())));
    for changed in [
        format!("{header}.{}.{}", parts[1], parts[2]),
        format!("{}.{payload}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].split_at(4).1),
        format!("{}.{}.AAAA{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(342)),
        format!("{}.{}.{}", parts[0], parts[1], "_".repeat(342)),
    ] {
        assert_eq!(verified(&changed).await, Err(TokenError::Signature));
    }
}

#[tokio::test]
async fn a_token_names_its_key() {
    let token = rsa(&json!({"alg": "RS256"}), &claims(), FIRST);
    assert_eq!(verified(&token).await, Err(TokenError::NoKeyNamed));
}

#[rstest]
#[case("")]
#[case("First")]
#[case("second")]
#[case("../../etc/passwd")]
#[case("/dev/null")]
#[case("first\u{0}")]
#[case("' OR '1'='1")]
#[tokio::test]
async fn a_name_that_no_key_has_is_refused(#[case] kid: &str) {
    assert_eq!(
        verified(&rs256(kid, FIRST)).await,
        Err(TokenError::UnknownKey)
    );
}

#[tokio::test]
async fn a_name_that_two_keys_have_is_refused() {
    let issuer = Issuer::publishing(&[
        jwk("doubled", FIRST),
        jwk("doubled", SECOND),
        jwk("doubled", FIRST),
        jwk("single", SECOND),
    ]);
    let verifier = by_url(&issuer.url());
    for pem in [FIRST, SECOND] {
        let token = rs256("doubled", pem);
        let verified = verifier.verify(&token, now()).await;
        assert_eq!(verified, Err(TokenError::UnknownKey));
    }
    let single = rs256("single", SECOND);
    assert!(verifier.verify(&single, now()).await.is_ok());
}

/// Keys and places of keys that a token brings along are the sender's, not the issuer's.
#[tokio::test]
async fn a_server_that_a_token_names_is_never_asked() {
    let evil = Issuer::publishing(&[jwk("first", SECOND), jwk("evil", SECOND)]);
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    for kid in ["first", "evil", &evil.url()] {
        let header = json!({
            "alg": "RS256", "kid": kid, "jku": evil.url(), "x5u": evil.url(), "url": evil.url(),
            "jwk": jwk("first", SECOND), "x5c": ["MIIB"], "x5t": "x",
        });
        let verified = verifier
            .verify(&rsa(&header, &claims(), SECOND), now())
            .await;
        let expected = match kid {
            "first" => TokenError::Signature,
            _ => TokenError::UnknownKey,
        };
        assert_eq!(verified, Err(expected), "{kid}");
    }
    assert_eq!(evil.asked(), 0);
}

#[tokio::test]
async fn places_of_keys_in_the_header_of_a_good_token_are_passed_over() {
    let evil = Issuer::publishing(&[]);
    let header = json!({"alg": "RS256", "kid": "first", "jku": evil.url(), "x5u": evil.url()});
    assert!(verified(&rsa(&header, &claims(), FIRST)).await.is_ok());
    assert_eq!(evil.asked(), 0);
}

#[tokio::test]
async fn a_header_with_crit_is_refused() {
    let header = json!({"alg": "RS256", "kid": "first", "crit": ["exp"]});
    let token = rsa(&header, &claims(), FIRST);
    assert_eq!(verified(&token).await, Err(TokenError::Critical));
}

#[tokio::test]
async fn what_needs_no_key_asks_for_none() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let no_kid = rsa(&json!({"alg": "RS256"}), &claims(), FIRST);
    let long = "x".repeat(9000);
    let none = part(&json!({"alg": "none"}));
    for token in [
        &hs256(&claims()),
        "garbage",
        &no_kid,
        &long,
        &format!("{none}.e30."),
    ] {
        assert!(verifier.verify(token, now()).await.is_err());
    }
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_tokens_with_unknown_keys_at_once_are_one_fetch() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let at_once = |now| {
        let senders = (0..50).map(|number| {
            let (verifier, kid) = (verifier.clone(), format!("unknown-{number}"));
            let token = rs256_unsigned(&kid);
            tokio::spawn(async move { verifier.verify(&token, now).await })
        });
        join_all(senders.collect::<Vec<_>>())
    };
    for (round, seconds) in [(1, 0), (1, 29), (2, 30), (2, 59), (3, 90)] {
        let now = now() + chrono::TimeDelta::seconds(seconds);
        for verified in at_once(now).await {
            assert_eq!(verified.unwrap(), Err(TokenError::UnknownKey));
        }
        assert_eq!(issuer.asked(), round, "after {seconds} s");
    }
}

/// Who names an unknown key need not sign anything.
fn rs256_unsigned(kid: &str) -> String {
    let header: Value = json!({"alg": "RS256", "kid": kid});
    format!("{}.{}.AAAA", part(&header), part(&claims()))
}
