//! What is wrong with a record as a whole or with its envelope.

use rstest::rstest;
use shared_schema::EventType::{self, *};
use shared_schema::{ReasonCode, Subscription, decode};

use crate::samples::{changed, decode_as, fixture, refused, source, with};

#[rstest]
#[case::in_a_string(b"{\"event_type\":\"\xff\"}")]
#[case::outside(b"\xff\xfe")]
#[case::surrogate_in_utf8(b"{\"a\":\"\xed\xa0\x80\"}")]
#[case::overlong(b"{\"a\":\"\xc0\xaf\"}")]
#[case::cut_off(b"{\"a\":\"\xe2\x82")]
fn bytes_that_are_not_utf8(#[case] bytes: &[u8]) {
    assert_eq!(
        refused(TripStarted, bytes),
        ("invalid_utf8", "$".to_owned())
    );
}

#[rstest]
#[case::nothing("")]
#[case::blanks("  \n")]
#[case::torn(r#"{"event_type":"trip.started","#)]
#[case::two_objects(r#"{"event_type":"trip.started"}{"event_type":"trip.started"}"#)]
#[case::trailing_text(r#"{"event_type":"trip.started"} x"#)]
#[case::trailing_nul("{\"event_type\":\"trip.started\"}\0")]
#[case::byte_order_mark("\u{feff}{}")]
#[case::nan(r#"{"event_type":"trip.started","start_lat":NaN}"#)]
#[case::infinity(r#"{"event_type":"trip.started","start_lat":-Infinity}"#)]
#[case::single_quotes("{'event_type':'trip.started'}")]
#[case::comment("{} // no")]
#[case::trailing_comma(r#"{"a":1,}"#)]
#[case::bare_newline("{\"a\":\"\n\"}")]
#[case::leading_zero(r#"{"a":01}"#)]
#[case::bare_key("{a:1}")]
#[case::half_an_escape(r#"{"a":"\u12"}"#)]
#[case::text("hello")]
fn text_that_is_not_one_json_text(#[case] text: &str) {
    assert_eq!(
        refused(TripStarted, text.as_bytes()),
        ("invalid_json", "$".to_owned())
    );
}

#[rstest]
#[case("[]")]
#[case("null")]
#[case("true")]
#[case(" 7 ")]
#[case(r#""{}""#)]
#[case(r#"[{"event_type":"trip.started"}]"#)]
fn json_that_is_not_an_object(#[case] text: &str) {
    assert_eq!(
        refused(TripStarted, text.as_bytes()),
        ("not_an_object", "$".to_owned())
    );
}

#[test]
fn a_valid_event_followed_by_anything_is_refused() {
    for tail in [&b"{}"[..], b"]", b"\0", b",", b"1"] {
        let bytes = [&fixture(TripStarted)[..], tail].concat();
        assert_eq!(
            refused(TripStarted, &bytes),
            ("invalid_json", "$".to_owned())
        );
    }
}

#[test]
fn a_lone_surrogate_in_a_field_that_is_read_is_refused() {
    for json in [
        r#""\ud800""#,
        r#""\udc00 ""#,
        r#""a\ud800b""#,
        r#""\ud800\u0041""#,
    ] {
        let bytes = with(PaymentFailed, "error_message", json);
        assert_eq!(
            refused(PaymentFailed, &bytes),
            ("invalid_json", "$.error_message".to_owned())
        );
    }
}

#[test]
fn nesting_is_limited_in_every_field() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = with(TripStarted, "surprise", &nested(126));
    assert!(decode_as(TripStarted, &deepest).is_ok());
    for depth in [127, 1_000, 100_000] {
        for field in ["surprise", "trip_id", "event_type"] {
            let bytes = with(TripStarted, field, &nested(depth));
            assert_eq!(
                refused(TripStarted, &bytes),
                ("invalid_json", "$".to_owned()),
                "{depth}"
            );
        }
    }
    let open = "{\"a\":".repeat(100_000);
    assert_eq!(
        refused(TripStarted, open.as_bytes()),
        ("invalid_json", "$".to_owned())
    );
}

#[test]
fn brackets_in_text_are_not_nesting() {
    let many = serde_json::to_string(&r#"\"[{"#.repeat(500)).unwrap();
    let bytes = with(TripStarted, "surprise", &many);
    assert!(decode_as(TripStarted, &bytes).is_ok());
}

#[test]
fn a_record_over_the_limit_is_too_large_whatever_it_holds() {
    let sized = |length: usize| {
        let mut bytes = fixture(TripStarted);
        bytes.resize(length, b' ');
        bytes
    };
    assert!(decode_as(TripStarted, &sized(1 << 20)).is_ok());
    let expected = ("too_large", "$".to_owned());
    assert_eq!(refused(TripStarted, &sized((1 << 20) + 1)), expected);
    assert_eq!(refused(TripStarted, &vec![0xff; 10 << 20]), expected);
}

#[test]
fn the_limit_on_size_is_a_setting() {
    let small = Subscription {
        max_event_bytes: 100,
        ..source(TripStarted)
    };
    let bytes = fixture(TripStarted);
    assert_eq!(
        decode(&bytes, &small).unwrap_err().reason,
        ReasonCode::TooLarge
    );
}

#[rstest]
#[case::unknown(r#""trip.paused""#)]
#[case::other_case(r#""Trip.Started""#)]
#[case::blank(r#"" trip.started""#)]
#[case::empty(r#""""#)]
fn a_type_that_does_not_exist(#[case] json: &str) {
    let bytes = with(TripStarted, "event_type", json);
    assert_eq!(
        refused(TripStarted, &bytes),
        ("unknown_event_type", "$.event_type".to_owned())
    );
}

#[test]
fn a_type_that_comes_from_another_topic() {
    for &kind in EventType::ALL {
        let bytes = fixture(kind);
        for &other in EventType::ALL
            .iter()
            .filter(|other| other.domain() != kind.domain())
        {
            let expected = ("wrong_topic", "$.event_type".to_owned());
            assert_eq!(
                refused(other, &bytes),
                expected,
                "{kind} from {}",
                other.domain()
            );
        }
    }
}

#[rstest]
#[case(r#""2-0-0""#, "unsupported_schema_version")]
#[case(r#""0-1-0""#, "unsupported_schema_version")]
#[case(r#""10-0-0""#, "unsupported_schema_version")]
#[case(r#""1.0.0""#, "pattern_mismatch")]
#[case(r#""1-0""#, "pattern_mismatch")]
#[case(r#""1-0-0-0""#, "pattern_mismatch")]
#[case(r#""1-0-x""#, "pattern_mismatch")]
#[case(r#""1-0-99999""#, "pattern_mismatch")]
#[case(r#""""#, "pattern_mismatch")]
#[case("1", "wrong_type")]
fn a_version_that_is_not_read(#[case] json: &str, #[case] reason: &str) {
    let bytes = with(TripStarted, "schema_version", json);
    assert_eq!(
        refused(TripStarted, &bytes),
        (reason, "$.schema_version".to_owned())
    );
}

#[test]
fn a_later_version_is_unsupported_even_if_its_fields_are_others() {
    let bytes = changed(TripStarted, |event| {
        event.remove("trip_id");
        event.insert("event_timestamp".to_owned(), 7.into());
        event.insert("schema_version".to_owned(), "2-0-0".into());
    });
    assert_eq!(
        refused(TripStarted, &bytes),
        ("unsupported_schema_version", "$.schema_version".to_owned())
    );
}

#[rstest]
#[case("event_id", r#""not an id""#, "pattern_mismatch")]
#[case("event_id", "7", "wrong_type")]
#[case("trace_id", "7", "wrong_type")]
#[case("event_timestamp", "1772434800000", "wrong_type")]
#[case("event_timestamp", r#""1999-12-31T23:59:59Z""#, "out_of_range")]
#[case("event_timestamp", r#""now""#, "pattern_mismatch")]
fn an_envelope_field_that_is_wrong(#[case] field: &str, #[case] json: &str, #[case] reason: &str) {
    let bytes = with(UserRegistered, field, json);
    assert_eq!(
        refused(UserRegistered, &bytes),
        (reason, format!("$.{field}"))
    );
}

#[test]
fn every_reason_has_one_name() {
    for &code in ReasonCode::ALL {
        assert_eq!(ReasonCode::parse(code.as_str()), Some(code));
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
    assert_eq!(ReasonCode::ALL.len(), 14);
    assert_eq!(ReasonCode::parse("because"), None);
}
