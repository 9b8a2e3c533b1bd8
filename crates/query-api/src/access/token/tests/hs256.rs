use jsonwebtoken::{Algorithm, EncodingKey};
use rstest::rstest;
use serde_json::{Value, json};
use service_runtime::config::Secret;
use shared_schema::access::{Place, Role, Scope};

use super::{
    SECRET, by_secret, config,
    forge::{AUDIENCE, FIRST, ISSUER, claims, claims_but, hmac, hs256, part, rsa, signature},
    now,
};
use crate::access::token::{Claims, MOST_BYTES, TokenConfig, TokenError, Verifier, VerifierError};

const WRONG_ALGORITHM: TokenError = TokenError::Header { algorithm: "HS256" };

async fn verified(token: &str) -> Result<Claims, TokenError> {
    by_secret().verify(token, now()).await
}

#[tokio::test]
async fn a_good_token_says_who_may_do_what() {
    let ikeja = Place {
        state: "Lagos".to_owned(),
        city: Some("Ikeja".to_owned()),
    };
    let claims = Claims {
        subject: "ada@openride.example".to_owned(),
        role: Role::Analyst,
        scope: Scope::within([ikeja]).unwrap(),
        may_read_pii: false,
        expires_at: now() + chrono::TimeDelta::seconds(300),
    };
    assert_eq!(verified(&hs256(&self::claims())).await, Ok(claims));
}

#[tokio::test]
async fn a_kid_means_nothing_to_a_secret() {
    let header = json!({"alg": "HS256", "kid": "any"});
    let token = hmac(&header, &claims(), SECRET.as_bytes());
    assert!(verified(&token).await.is_ok());
}

#[rstest]
#[case("none")]
#[case("None")]
#[case("NONE")]
#[case("nOnE")]
#[case("")]
#[case("hs256")]
#[case("HS384")]
#[case("HS512")]
#[case("RS256")]
#[case("PS256")]
#[case("ES256")]
#[case("EdDSA")]
#[case("HS257")]
#[tokio::test]
async fn an_algorithm_that_is_not_configured_is_refused(#[case] name: &str) {
    let header = json!({"typ": "JWT", "alg": name});
    let signed = hmac(&header, &claims(), SECRET.as_bytes());
    assert_eq!(verified(&signed).await, Err(WRONG_ALGORITHM));
    let unsigned = format!("{}.{}.", part(&header), part(&claims()));
    assert_eq!(verified(&unsigned).await, Err(WRONG_ALGORITHM));
}

#[rstest]
#[case(json!({}))]
#[case(json!({"alg": null}))]
#[case(json!({"alg": ["HS256"]}))]
#[case(json!({"alg": "HS256", "kid": 5}))]
#[case(json!("HS256"))]
#[case(json!(["JWT", "HS256"]))]
#[case(json!(null))]
#[tokio::test]
async fn a_header_of_the_wrong_types_is_refused(#[case] header: Value) {
    let token = hmac(&header, &claims(), SECRET.as_bytes());
    assert_eq!(verified(&token).await, Err(WRONG_ALGORITHM));
}

#[tokio::test]
async fn a_good_hmac_of_another_hash_is_refused_with_its_own_name_and_ours() {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for (name, expected) in [("HS512", WRONG_ALGORITHM), ("HS256", TokenError::Signature)] {
        let message = format!("{}.{}", part(&json!({"alg": name})), part(&claims()));
        let signature = signature(&message, &key, Algorithm::HS512);
        let token = format!("{message}.{signature}");
        assert_eq!(verified(&token).await, Err(expected), "{name}");
    }
}

#[tokio::test]
async fn a_signature_of_rsa_is_refused() {
    let token = rsa(&json!({"alg": "RS256", "kid": "1"}), &claims(), FIRST);
    assert_eq!(verified(&token).await, Err(WRONG_ALGORITHM));
    let disguised = rsa(&json!({"alg": "HS256"}), &claims(), FIRST);
    assert_eq!(verified(&disguised).await, Err(TokenError::Signature));
}

#[rstest]
#[case("")]
#[case("another secret, also of more than 32 bytes")]
#[tokio::test]
async fn another_secret_is_refused(#[case] secret: &str) {
    let token = hmac(&json!({"alg": "HS256"}), &claims(), secret.as_bytes());
    assert_eq!(verified(&token).await, Err(TokenError::Signature));
}

#[tokio::test]
async fn a_change_of_any_part_is_noticed() {
    let token = hs256(&claims());
    let [header, payload, signature] = parts(&token);
    let other_header = part(&json!({"alg": "HS256", "typ": "jwt"}));
    let other_payload = part(&claims_but("role", Some("admin".into())));
    let other = hs256(&claims_but("sub", Some("eve".into())));
    let [_, _, other_signature] = parts(&other);
    for changed in [
        format!("{other_header}.{payload}.{signature}"),
        format!("{header}.{other_payload}.{signature}"),
        format!("{header}.{payload}.{other_signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{}", signature.split_at(1).1),
        format!("{header}.{payload}.{signature}AAAA"),
    ] {
        assert_eq!(verified(&changed).await, Err(TokenError::Signature));
    }
    assert!(verified(&token).await.is_ok());
}

/// In each character of the signature some change of bits shows, so no two texts are the same signature.
#[tokio::test]
async fn no_character_of_a_token_can_be_changed() {
    let verifier = by_secret();
    let token = hs256(&claims());
    for (place, old) in token.char_indices() {
        for new in ['A', 'B', 'z', '-', '_', '.', '='] {
            let mut changed = token.clone();
            changed.replace_range(place..=place, &new.to_string());
            let is_good = verifier.verify(&changed, now()).await.is_ok();
            assert_eq!(is_good, new == old, "{new} at {place}");
        }
    }
}

#[tokio::test]
async fn a_header_with_crit_is_refused_whatever_it_names() {
    for crit in [json!([]), json!(["exp"]), json!(["b64"])] {
        let header = json!({"alg": "HS256", "crit": crit, "b64": false});
        let token = hmac(&header, &claims(), SECRET.as_bytes());
        assert_eq!(verified(&token).await, Err(TokenError::Critical));
    }
}

#[rstest]
#[case("")]
#[case(".")]
#[case("...")]
#[case("a.b.c")]
#[case("Bearer x")]
#[case("eyJhbGciOiJIUzI1NiJ9")]
#[case("eyJhbGciOiJIUzI1NiJ9.e30")]
#[case("\u{0}.\u{0}.\u{0}")]
#[case("ключ.ключ.ключ")]
#[tokio::test]
async fn what_is_no_token_is_refused(#[case] text: &str) {
    assert_eq!(verified(text).await, Err(TokenError::Malformed));
}

#[tokio::test]
async fn more_or_fewer_parts_are_refused() {
    let token = hs256(&claims());
    for text in [
        format!("{token}.x"),
        format!("x.{token}"),
        token.replace('.', ""),
    ] {
        assert_eq!(verified(&text).await, Err(TokenError::Malformed), "{text}");
    }
}

#[tokio::test]
async fn a_payload_that_is_no_object_is_refused() {
    let in_order = json!([
        ISSUER,
        AUDIENCE,
        4_000_000_000_u32,
        0,
        "ada",
        "admin",
        null,
        true
    ]);
    for payload in [json!(null), json!(5), json!("x"), json!([1]), in_order] {
        assert_eq!(
            verified(&hs256(&payload)).await,
            Err(TokenError::Malformed),
            "{payload}"
        );
    }
}

#[tokio::test]
async fn a_token_is_read_up_to_its_bound() {
    // of base64url, lengths of 4n + 1 do not exist
    let with = |filling: usize| hs256(&claims_but("filling", Some("x".repeat(filling).into())));
    let longest = (5000..6200).rfind(|filling| with(*filling).len() <= MOST_BYTES);
    let filling = longest.unwrap();
    assert!(verified(&with(filling)).await.is_ok());
    let longer = with(filling + 1);
    assert!((MOST_BYTES + 1..=MOST_BYTES + 2).contains(&longer.len()));
    assert_eq!(verified(&longer).await, Err(TokenError::TooLong));
    let long = "x".repeat(10 * 1024 * 1024);
    assert_eq!(verified(&long).await, Err(TokenError::TooLong));
}

#[test]
fn without_a_secret_and_a_key_set_there_is_no_verifier() {
    assert!(Verifier::new(&config()).unwrap().is_none());
    assert!(Verifier::new(&TokenConfig::default()).unwrap().is_none());
}

#[test]
fn settings_that_nobody_checked_make_no_verifier() {
    let weak = TokenConfig {
        secret: Secret::from("weak"),
        ..config()
    };
    let error = Verifier::new(&weak).unwrap_err();
    assert!(matches!(&error, VerifierError::Config(problems) if problems.len() == 1));
    assert!(!error.to_string().contains("weak"), "{error}");
}

#[test]
fn a_verifier_does_not_show_its_secret() {
    let shown = format!("{:?}", by_secret());
    assert!(shown.contains("HS256"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    let bytes = format!("{:?}", SECRET.as_bytes());
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
}

fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<_> = token.split('.').collect();
    parts.try_into().unwrap()
}
