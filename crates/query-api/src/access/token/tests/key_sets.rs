use rstest::rstest;
use serde_json::{Value, json};

use super::forge::{FIRST, SECOND, SHORT, jwk, set};
use crate::access::token::keys::{KeySet, NoKeySet};

fn parsed(keys: &[Value]) -> KeySet {
    KeySet::parse(set(keys).as_bytes()).unwrap()
}

/// The first key with one parameter changed, or taken away.
fn jwk_but(name: &str, value: Option<Value>) -> Value {
    let mut key = jwk("first", FIRST);
    let object = key.as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
    key
}

#[rstest]
#[case("use", None, true)]
#[case("use", Some(json!("sig")), true)]
#[case("use", Some(json!("enc")), false)]
#[case("use", Some(json!(["sig"])), false)]
#[case("alg", None, true)]
#[case("alg", Some(json!("RS256")), true)]
#[case("alg", Some(json!("RS512")), false)]
#[case("alg", Some(json!("PS256")), false)]
#[case("alg", Some(json!("HS256")), false)]
#[case("key_ops", Some(json!(["verify"])), true)]
#[case("key_ops", Some(json!(["encrypt"])), false)]
#[case("kty", None, false)]
#[case("kty", Some(json!("oct")), false)]
#[case("kty", Some(json!("EC")), false)]
#[case("kid", None, false)]
#[case("kid", Some(json!(1)), false)]
#[case("n", None, false)]
#[case("n", Some(json!("")), false)]
#[case("n", Some(json!("AQAB")), false)]
#[case("n", Some(json!("not base64url!")), false)]
#[case("e", None, false)]
#[case("x5c", Some(json!("of the wrong type, but of no concern")), true)]
fn only_keys_for_rs256_are_used(
    #[case] parameter: &str,
    #[case] value: Option<Value>,
    #[case] is_usable: bool,
) {
    let set = parsed(&[jwk_but(parameter, value)]);
    assert_eq!(set.find("first").is_some(), is_usable);
    assert_eq!(set.is_empty(), !is_usable);
}

#[test]
fn a_short_key_is_left_out() {
    assert!(parsed(&[jwk("short", SHORT)]).find("short").is_none());
}

#[test]
fn a_modulus_has_from_2048_to_4096_bits_whatever_zeros_are_before_it() {
    // four characters are three bytes, of which those behind the first three are zero
    let modulus = |zeros: usize, bytes: usize, first: &str| {
        let rest = "AAAA".repeat(bytes / 3 - 1);
        json!("AAAA".repeat(zeros) + first + &rest)
    };
    let [first_80, second_80, third_80] = ["gAAA", "AIAA", "AACA"];
    let [first_01, second_01, third_40] = ["AQAA", "AAEA", "AABA"];
    let cases = [
        (modulus(0, 255, first_80), false),
        (modulus(0, 258, third_40), false),
        (modulus(50, 258, third_40), false),
        (modulus(0, 258, third_80), true),
        (modulus(50, 258, third_80), true),
        (modulus(0, 258, second_01), true),
        (modulus(0, 513, second_80), true),
        (modulus(50, 513, second_80), true),
        (modulus(0, 513, first_01), false),
        (modulus(0, 100_000, first_80), false),
    ];
    for (number, (modulus, is_usable)) in cases.into_iter().enumerate() {
        let set = parsed(&[jwk_but("n", Some(modulus))]);
        assert_eq!(set.find("first").is_some(), is_usable, "case {number}");
    }
}

#[test]
fn a_key_that_is_no_good_does_not_spoil_the_others() {
    let set = parsed(&[
        json!(null),
        json!("key"),
        json!([
            "first",
            "RSA",
            null,
            null,
            null,
            jwk("first", FIRST)["n"],
            "AQAB"
        ]),
        json!({"kty": "AKP", "kid": "first"}),
        json!({"kty": "RSA", "kid": "first", "use": "enc", "n": "AQAB", "e": "AQAB"}),
        jwk("first", FIRST),
        jwk("second", SECOND),
    ]);
    assert!(set.find("first").is_some());
    assert!(set.find("second").is_some());
}

#[test]
fn a_hundred_keys_are_read() {
    let keys: Vec<_> = (0..101)
        .map(|number| jwk(&format!("key-{number}"), FIRST))
        .collect();
    let set = parsed(&keys);
    assert!(set.find("key-99").is_some());
    assert!(set.find("key-100").is_none());
}

#[rstest]
#[case("")]
#[case("null")]
#[case("[]")]
#[case("[[]]")]
#[case("{}")]
#[case(r#"{"keys":null}"#)]
#[case(r#"{"keys":{}}"#)]
#[case(r#"{"keys":[],"keys":[]}"#)]
#[case(r#"{"keys":[]"#)]
#[case("<html>not found</html>")]
fn what_is_no_key_set_is_refused(#[case] text: &str) {
    assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), NoKeySet);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = format!("{{\"keys\":[{}", "[".repeat(500_000));
    assert_eq!(KeySet::parse(deep.as_bytes()).unwrap_err(), NoKeySet);
}

#[test]
fn a_set_without_keys_is_a_set() {
    assert!(parsed(&[]).is_empty());
}
