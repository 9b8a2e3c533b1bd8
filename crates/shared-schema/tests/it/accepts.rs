//! Events that are as the contract says, written in the ways that JSON leaves free.

use proptest::prelude::*;
use rstest::rstest;
use shared_schema::{Event, EventType};

use crate::samples::{accepted, changed, fixture, with, without};

#[test]
fn the_example_of_every_type_is_accepted() {
    for &kind in EventType::ALL {
        let bytes = fixture(kind);
        let decoded = accepted(kind, &bytes);
        assert_eq!(decoded.event_type, kind);
        assert_eq!(decoded.event.event_type(), kind);
        assert_eq!(decoded.entity_id, decoded.event.entity_id());
        assert_eq!(
            decoded.trace_id.unwrap().as_str(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
    }
}

#[rstest]
#[case::upgrade_from(EventType::UserUpgradedToDriver, "previous_role", r#""RIDER""#)]
#[case::upgrade_to(EventType::UserUpgradedToDriver, "new_role", r#""DRIVER""#)]
#[case::status(EventType::BookingCreated, "booking_status", r#""PENDING""#)]
#[case::refund(EventType::BookingCancelled, "refund_initiated", "false")]
#[case::currency(EventType::PaymentInitiated, "currency", r#""NGN""#)]
#[case::currency_of_success(EventType::PaymentSuccess, "currency", r#""NGN""#)]
#[case::currency_of_failure(EventType::PaymentFailed, "currency", r#""NGN""#)]
#[case::currency_of_refund(EventType::PaymentRefunded, "currency", r#""NGN""#)]
#[case::provider(EventType::PaymentInitiated, "provider", r#""interswitch""#)]
#[case::provider_of_success(EventType::PaymentSuccess, "provider", r#""interswitch""#)]
#[case::provider_of_failure(EventType::PaymentFailed, "provider", r#""interswitch""#)]
#[case::started(EventType::TripCancelled, "was_started", "false")]
#[case::previous(EventType::RouteActivated, "previous_status", r#""PAUSED""#)]
#[case::new(EventType::RouteActivated, "new_status", r#""ACTIVE""#)]
#[case::bookings(EventType::RouteCancelled, "active_bookings_count", "0")]
#[case::version(EventType::TripStarted, "schema_version", r#""1-0-0""#)]
fn an_absent_field_has_the_value_that_the_contract_gives(
    #[case] kind: EventType,
    #[case] field: &str,
    #[case] default: &str,
) {
    let (absent, stated) = (without(kind, field), with(kind, field, default));
    assert_eq!(accepted(kind, &absent), accepted(kind, &stated));
}

#[rstest]
#[case(EventType::PaymentSuccess, "currency", r#""USD""#)]
#[case(EventType::PaymentSuccess, "provider", r#""paystack""#)]
#[case(EventType::RouteActivated, "previous_status", r#""DRAFT""#)]
#[case(EventType::RouteActivated, "new_status", r#""LIVE""#)]
#[case(EventType::RouteCancelled, "active_bookings_count", "17")]
fn a_default_is_no_demand(#[case] kind: EventType, #[case] field: &str, #[case] other: &str) {
    let (absent, other) = (without(kind, field), with(kind, field, other));
    assert_ne!(accepted(kind, &absent).event, accepted(kind, &other).event);
}

#[rstest]
#[case::string(r#""3000.5""#, 300_050)]
#[case::whole_string(r#""3000""#, 300_000)]
#[case::escaped_string(r#""300\u0030.50""#, 300_050)]
#[case::number("3000.5", 300_050)]
#[case::whole_number("3000", 300_000)]
#[case::trailing_zeros("3000.5000", 300_050)]
#[case::exponent("3.0005e3", 300_050)]
#[case::zero("0.00", 0)]
#[case::zero_of_any_size("0e99999999999999999999", 0)]
#[case::not_a_double("1000000.07", 100_000_007)]
#[case::largest(r#""1000000000.00""#, 100_000_000_000)]
fn an_amount_is_read_from_its_text(#[case] json: &str, #[case] kobo: i64) {
    let bytes = with(EventType::BookingCreated, "total_price", json);
    let Event::BookingCreated(event) = accepted(EventType::BookingCreated, &bytes).event else {
        panic!("another type");
    };
    assert_eq!(event.total_price.kobo(), kobo);
}

#[rstest]
#[case::utc("2026-03-02T07:00:00Z", 1_772_434_800_000)]
#[case::offset("2026-03-02T08:00:00+01:00", 1_772_434_800_000)]
#[case::milliseconds("2026-03-02T07:00:00.123Z", 1_772_434_800_123)]
#[case::finer_is_cut_off("2026-03-02T07:00:00.123999999Z", 1_772_434_800_123)]
#[case::coarser("2026-03-02T07:00:00.5Z", 1_772_434_800_500)]
#[case::lower_case("2026-03-02t07:00:00z", 1_772_434_800_000)]
#[case::leap_second("2016-12-31T23:59:60Z", 1_483_228_800_000)]
#[case::first("2000-01-01T00:00:00Z", 946_684_800_000)]
fn a_time_is_kept_to_the_millisecond(#[case] text: &str, #[case] ms: i64) {
    let bytes = with(
        EventType::TripStarted,
        "event_timestamp",
        &format!("{text:?}"),
    );
    assert_eq!(accepted(EventType::TripStarted, &bytes).timestamp_ms, ms);
}

#[test]
fn unknown_fields_are_ignored_whatever_they_hold() {
    let plain = fixture(EventType::PaymentFailed);
    for json in [
        "null",
        "[[{}]]",
        r#"{"event_type":"user.registered"}"#,
        "1e400",
        r#""\ud800""#,
    ] {
        let bytes = with(EventType::PaymentFailed, "surprise", json);
        assert_eq!(
            accepted(EventType::PaymentFailed, &bytes),
            accepted(EventType::PaymentFailed, &plain)
        );
    }
}

#[test]
fn the_type_may_stand_last_and_be_announced_falsely_before() {
    let plain = fixture(EventType::TripStarted);
    let decoys = [
        r#"{"a":{"event_type":"trip.completed"},"#,
        r#"{"a":{"event_type" : "trip.nothing"},"#,
        r#"{"a":"\"event_type\":\"trip.cancelled\"","#,
        r#"{"a":["event_type"],"#,
    ];
    for decoy in decoys {
        let text = String::from_utf8(without(EventType::TripStarted, "event_type")).unwrap();
        let body = text.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
        let bytes = format!("{decoy}{body},\"event_type\":\"trip.started\"}}").into_bytes();
        assert_eq!(
            accepted(EventType::TripStarted, &bytes),
            accepted(EventType::TripStarted, &plain)
        );
    }
}

#[test]
fn names_and_values_may_be_written_with_escapes() {
    let plain = fixture(EventType::BookingConfirmed);
    let text = String::from_utf8(plain.clone()).unwrap();
    let escaped = text
        .replace("event_type", r"\u0065vent_type")
        .replace("booking.confirmed", r"booking\u002econfirmed")
        .replace("confirmation_code", r"confirmation\u005fcode")
        .replace("OR-4821", r"OR\u002d4821")
        .into_bytes();
    assert_ne!(plain, escaped);
    assert_eq!(
        accepted(EventType::BookingConfirmed, &escaped),
        accepted(EventType::BookingConfirmed, &plain)
    );
}

#[test]
fn ids_are_read_in_either_case() {
    let bytes = changed(EventType::TripStarted, |event| {
        let upper = event["trip_id"].as_str().unwrap().to_uppercase();
        event.insert("trip_id".to_owned(), upper.into());
    });
    let plain = fixture(EventType::TripStarted);
    assert_eq!(
        accepted(EventType::TripStarted, &bytes),
        accepted(EventType::TripStarted, &plain)
    );
}

#[test]
fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
    let (dotted, plain) = (
        with(EventType::BookingCreated, "seats_booked", "2.0"),
        fixture(EventType::BookingCreated),
    );
    assert_eq!(
        accepted(EventType::BookingCreated, &dotted),
        accepted(EventType::BookingCreated, &plain)
    );
}

#[test]
fn active_days_are_a_set() {
    let (one, other) = (
        with(
            EventType::RouteCreated,
            "active_days",
            r#"["FRI","MON","WED","MON"]"#,
        ),
        fixture(EventType::RouteCreated),
    );
    assert_eq!(
        accepted(EventType::RouteCreated, &one),
        accepted(EventType::RouteCreated, &other)
    );
}

proptest! {
    #[test]
    fn numbers_of_full_precision_are_read_exactly(latitude in -90.0..90.0_f64) {
        let bytes = with(EventType::DriverLocationUpdated, "lat", &latitude.to_string());
        let Event::DriverLocationUpdated(event) =
            accepted(EventType::DriverLocationUpdated, &bytes).event
        else {
            panic!("another type");
        };
        prop_assert_eq!(event.lat.get().to_bits(), latitude.to_bits());
    }
}

#[test]
fn text_without_escapes_is_borrowed_from_the_record() {
    let bytes = fixture(EventType::PaymentFailed);
    let Event::PaymentFailed(event) = accepted(EventType::PaymentFailed, &bytes).event else {
        panic!("another type");
    };
    assert!(
        bytes
            .as_ptr_range()
            .contains(&event.error_message.as_str().as_ptr())
    );
}
