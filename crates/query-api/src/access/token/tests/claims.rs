use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json, value::RawValue};
use shared_schema::access::{Role, Scope};

use super::{
    by_secret,
    forge::{AUDIENCE, ISSUER, claims, claims_but, hs256},
    now,
};
use crate::access::token::{Claims, TokenError};

async fn verified(claims: &Value) -> Result<Claims, TokenError> {
    verified_at(claims, now()).await
}

async fn verified_at(claims: &Value, at: DateTime<Utc>) -> Result<Claims, TokenError> {
    by_secret().verify(&hs256(claims), at).await
}

/// The claim that an error is about.
fn at_fault(verified: Result<Claims, TokenError>) -> (&'static str, bool) {
    match verified {
        Err(TokenError::Missing { claim, .. }) => (claim, true),
        Err(TokenError::Unfit { claim, .. }) => (claim, false),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case("iss")]
#[case("aud")]
#[case("exp")]
#[case("sub")]
#[case("role")]
#[case("regions")]
#[tokio::test]
async fn a_claim_that_is_missing_is_named(#[case] claim: &str) {
    let verified = verified(&claims_but(claim, None)).await;
    let error = verified.clone().unwrap_err().to_string();
    assert!(
        error.contains(&format!("claim {claim} is missing")),
        "{error}"
    );
    assert_eq!(at_fault(verified), (claim, true));
}

#[rstest]
#[case::another("iss", json!("https://evil.example"))]
#[case::slash("iss", json!("https://id.example/"))]
#[case::capitals("iss", json!("HTTPS://ID.EXAMPLE"))]
#[case::prefix("iss", json!("https://id.example.evil.example"))]
#[case::list("iss", json!([ISSUER]))]
#[case::null("iss", json!(null))]
#[case::another("aud", json!("openride-payments"))]
#[case::empty("aud", json!([]))]
#[case::others("aud", json!(["a", "b"]))]
#[case::mixed("aud", json!([AUDIENCE, 5]))]
#[case::nested("aud", json!([[AUDIENCE]]))]
#[case::object("aud", json!({AUDIENCE: true}))]
#[case::null("aud", json!(null))]
#[case::text("exp", json!("1795780000"))]
#[case::null("exp", json!(null))]
#[case::huge("exp", json!(u64::MAX))]
#[case::beyond_chrono("exp", json!(i64::MAX))]
#[case::long_ago("exp", json!(i64::MIN))]
#[case::infinite("exp", json!(1e300))]
#[case::negative_fraction("exp", json!(-1.5))]
#[case::list("exp", json!([1]))]
#[case::text("nbf", json!("now"))]
#[case::null("nbf", json!(null))]
#[case::empty("sub", json!(""))]
#[case::long("sub", json!("é".repeat(201)))]
#[case::number("sub", json!(7))]
#[case::object("sub", json!({"id": 7}))]
#[case::null("sub", json!(null))]
#[case::line("sub", json!("ada\nadmin"))]
#[case::nul("sub", json!("ada\u{0}"))]
#[case::escape("sub", json!("\u{1b}[2Jada"))]
#[case::c1("sub", json!("ada\u{9b}"))]
#[case::backwards("sub", json!("ada\u{202e}nimda"))]
#[case::hidden("sub", json!("ada\u{200b}"))]
#[case::soft_hyphen("sub", json!("a\u{ad}da"))]
#[case::tag("sub", json!("ada\u{e0041}"))]
#[case::line_separator("sub", json!("ada\u{2028}x"))]
#[case::space("sub", json!(" "))]
#[case::space_behind("sub", json!("ada "))]
#[case::capitals("role", json!("Admin"))]
#[case::unknown("role", json!("root"))]
#[case::empty("role", json!(""))]
#[case::list("role", json!(["admin"]))]
#[case::null("role", json!(null))]
#[case::empty("regions", json!([]))]
#[case::text("regions", json!("Lagos"))]
#[case::texts("regions", json!(["Lagos"]))]
#[case::unknown("regions", json!([{"state": "Atlantis"}]))]
#[case::city_elsewhere("regions", json!([{"state": "Lagos", "city": "Kano"}]))]
#[case::other_field("regions", json!([{"state": "Lagos", "town": "Ikeja"}]))]
#[case::boolean("regions", json!(false))]
#[case::object("regions", json!({}))]
#[case::text("pii", json!("true"))]
#[case::number("pii", json!(1))]
#[case::null("pii", json!(null))]
#[tokio::test]
async fn a_claim_that_is_not_what_it_must_be_is_named(#[case] claim: &str, #[case] value: Value) {
    let verified = verified(&claims_but(claim, Some(value))).await;
    let error = verified.clone().unwrap_err().to_string();
    assert!(error.contains(&format!("claim {claim} must be")), "{error}");
    assert_eq!(at_fault(verified), (claim, false));
}

#[rstest]
#[case(json!(AUDIENCE))]
#[case(json!([AUDIENCE]))]
#[case(json!(["other", AUDIENCE]))]
#[tokio::test]
async fn an_audience_is_a_text_or_in_a_list(#[case] aud: Value) {
    assert!(verified(&claims_but("aud", Some(aud))).await.is_ok());
}

#[tokio::test]
async fn every_role_can_be_given() {
    for role in Role::ALL {
        let claims = claims_but("role", Some(role.as_str().into()));
        assert_eq!(verified(&claims).await.unwrap().role, role);
    }
}

#[tokio::test]
async fn only_null_is_everywhere() {
    let claims = claims_but("regions", Some(Value::Null));
    assert_eq!(verified(&claims).await.unwrap().scope, Scope::Everywhere);
}

#[tokio::test]
async fn personal_data_is_shown_only_where_the_token_says_so() {
    for (pii, may) in [
        (None, false),
        (Some(json!(false)), false),
        (Some(json!(true)), true),
    ] {
        let claims = claims_but("pii", pii);
        assert_eq!(verified(&claims).await.unwrap().may_read_pii, may);
    }
}

#[rstest]
#[case("a".repeat(200))]
#[case("é".repeat(200))]
#[case("Adé Ọlá-Ṣọlá".to_owned())]
#[case("O\u{323}la\u{300}".to_owned())]
#[case("auth0|5f7c8ec7".to_owned())]
#[tokio::test]
async fn a_subject_is_kept_as_it_is(#[case] subject: String) {
    let claims = claims_but("sub", Some(subject.clone().into()));
    assert_eq!(verified(&claims).await.unwrap().subject, subject);
}

#[rstest]
#[case(0, true)]
#[case(29_999, true)]
#[case(30_000, false)]
#[case(86_400_000, false)]
#[tokio::test]
async fn a_token_ends_half_a_minute_after_its_end(#[case] late_millis: i64, #[case] is_good: bool) {
    let exp = now();
    let claims = claims_but("exp", Some(exp.timestamp().into()));
    let verified = verified_at(&claims, exp + TimeDelta::milliseconds(late_millis)).await;
    match is_good {
        true => assert_eq!(verified.unwrap().expires_at, exp),
        false => assert_eq!(verified, Err(TokenError::Expired { at: exp })),
    }
}

#[rstest]
#[case(0, true)]
#[case(30_000, true)]
#[case(30_001, false)]
#[case(86_400_000, false)]
#[tokio::test]
async fn a_token_begins_half_a_minute_before_its_beginning(
    #[case] early_millis: i64,
    #[case] is_good: bool,
) {
    let from = now();
    let claims = claims_but("nbf", Some(from.timestamp().into()));
    let verified = verified_at(&claims, from - TimeDelta::milliseconds(early_millis)).await;
    match is_good {
        true => assert!(verified.is_ok()),
        false => assert_eq!(verified, Err(TokenError::NotYetValid { from })),
    }
}

#[tokio::test]
async fn times_may_have_fractions() {
    let claims = claims_but("exp", Some(json!(1_796_040_000.25)));
    let expires_at = verified(&claims).await.unwrap().expires_at;
    assert_eq!(expires_at.timestamp_millis(), 1_796_040_000_250);
}

#[tokio::test]
async fn a_token_for_all_time_does_not_overflow() {
    let end = DateTime::<Utc>::MAX_UTC;
    let claims = claims_but("exp", Some(end.timestamp().into()));
    assert!(verified(&claims).await.is_ok());
    let begins_never = claims_but("nbf", Some(end.timestamp().into()));
    assert!(matches!(
        verified(&begins_never).await,
        Err(TokenError::NotYetValid { .. })
    ));
    let over = claims_but("exp", Some(DateTime::<Utc>::MIN_UTC.timestamp().into()));
    assert!(matches!(
        verified(&over).await,
        Err(TokenError::Expired { .. })
    ));
}

#[tokio::test]
async fn a_claim_that_stands_twice_is_refused() {
    let mut text = claims().to_string();
    text.insert_str(1, "\"role\":\"admin\",");
    let claims: Box<RawValue> = serde_json::from_str(&text).unwrap();
    let verified = by_secret().verify(&hs256(&claims), now()).await;
    assert_eq!(verified, Err(TokenError::Malformed));
}

#[tokio::test]
async fn an_error_repeats_nothing_of_the_token_but_times() {
    for claim in ["iss", "aud", "exp", "nbf", "sub", "role", "regions", "pii"] {
        let marked = claims_but(claim, Some(json!({"marked": "MARKED"})));
        let error = verified(&marked).await.unwrap_err();
        let shown = format!("{error} {error:?}").to_lowercase();
        assert!(!shown.contains("marked"), "{shown}");
    }
}
