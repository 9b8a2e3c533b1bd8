//! Rules that hold for every field of every type.

use proptest::prelude::*;
use shared_schema::EventType;

use crate::samples::{
    accepted, decode_as, fields_of, fixture, refused, stored_schema, with, without,
};

#[test]
fn a_required_field_that_is_absent_is_missing() {
    for &kind in EventType::ALL {
        for field in fields_of(kind).1 {
            let expected = ("missing_field", format!("$.{field}"));
            assert_eq!(refused(kind, &without(kind, &field)), expected, "{kind}");
        }
    }
}

#[test]
fn a_required_field_that_is_null_has_the_wrong_type() {
    for &kind in EventType::ALL {
        for field in fields_of(kind).1 {
            let expected = ("wrong_type", format!("$.{field}"));
            assert_eq!(
                refused(kind, &with(kind, &field, "null")),
                expected,
                "{kind}"
            );
        }
    }
}

#[test]
fn any_other_field_may_be_null_or_absent_with_one_meaning() {
    for &kind in EventType::ALL {
        let (all, required) = fields_of(kind);
        for field in all
            .iter()
            .filter(|field| !required.contains(field) && *field != "event_id")
        {
            let (null, absent) = (with(kind, field, "null"), without(kind, field));
            assert_eq!(
                accepted(kind, &null),
                accepted(kind, &absent),
                "{kind} {field}"
            );
        }
    }
}

#[test]
fn a_field_of_another_json_type_has_the_wrong_type() {
    for &kind in EventType::ALL {
        for field in fields_of(kind).0 {
            let expected = ("wrong_type", format!("$.{field}"));
            assert_eq!(
                refused(kind, &with(kind, &field, r#"{"a":1}"#)),
                expected,
                "{kind}"
            );
        }
    }
}

#[test]
fn a_field_that_is_given_twice_is_refused() {
    for &kind in EventType::ALL {
        for field in fields_of(kind).0 {
            let text = String::from_utf8(fixture(kind)).unwrap();
            let own: serde_json::Value = serde_json::from_str(&text).unwrap();
            let twice = text.replacen('{', &format!("{{{field:?}:{},", own[&field]), 1);
            let expected = ("invalid_json", "$".to_owned() + "." + &field);
            assert_eq!(refused(kind, twice.as_bytes()), expected, "{kind}");
        }
    }
}

fn any_type() -> impl Strategy<Value = EventType> {
    proptest::sample::select(EventType::ALL)
}

/// JSON texts at and beyond the edges of what fields take.
fn any_json() -> impl Strategy<Value = String> {
    let edges = [
        "null",
        "true",
        "0",
        "-0",
        "-0.0",
        "1",
        "8",
        "9",
        "2.0",
        "2.5",
        "-1",
        "90",
        "-90.5",
        "180",
        "360",
        "359.999",
        "100000",
        "100000.1",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "1e3",
        "\"\"",
        "\"1-0-0\"",
        "\"1-2-3\"",
        "\"2-0-0\"",
        "\"NGN\"",
        "\"ngn\"",
        "\"card\"",
        "\"RIDER\"",
        "\"09:30:00\"",
        "\"24:00:00\"",
        "\"3000.00\"",
        "\"-1.00\"",
        "\"3000.005\"",
        "1e9",
        "1000000000.01",
        "\"4081\"",
        "\"+2348031234567\"",
        "\"00000000-0000-0000-0000-000000000000\"",
        "[]",
        "[\"MON\"]",
        "[\"mon\"]",
        "{}",
        "\"2026-03-02T07:00:00Z\"",
        "\"2026-03-02T07:00:00\"",
        "\"7D0F0001-1B2C-4D3E-8F40-5A6B7C8D9E0F\"",
    ];
    prop_oneof![
        proptest::sample::select(edges.to_vec()).prop_map(str::to_owned),
        any::<f64>()
            .prop_filter("JSON has no others", |n| n.is_finite())
            .prop_map(|n| n.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        "[ -~]{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ]
}

proptest! {
    #[test]
    fn what_is_accepted_is_valid_by_the_schema(
        kind in any_type(), pick in any::<proptest::sample::Index>(), json in any_json(),
    ) {
        let fields = fields_of(kind).0;
        let field: &String = pick.get(&fields);
        let bytes = with(kind, field, &json);
        if decode_as(kind, &bytes).is_ok() {
            let schema = stored_schema(kind);
            let event: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            if let Err(error) = jsonschema::validate(&schema, &event) {
                return Err(TestCaseError::fail(format!("{kind}: {error}")));
            }
        }
    }
}
