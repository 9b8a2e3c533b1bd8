//! What is wrong with a field of an event, told by reason and path.

use rstest::rstest;
use shared_schema::EventType::{self, *};

use crate::samples::{decode_as, refused, with};

#[rstest]
#[case::nil(TripStarted, "trip_id", r#""00000000-0000-0000-0000-000000000000""#)]
#[case::braces(TripStarted, "trip_id", r#""{7d0f0007-1b2c-4d3e-8f40-5a6b7c8d9e0f}""#)]
#[case::urn(
    TripStarted,
    "rider_id",
    r#""urn:uuid:7d0f0007-1b2c-4d3e-8f40-5a6b7c8d9e0f""#
)]
#[case::no_hyphens(TripStarted, "driver_id", r#""7d0f00071b2c4d3e8f405a6b7c8d9e0f""#)]
#[case::misplaced_hyphens(TripStarted, "route_id", r#""7d0f00071-b2c-4d3e-8f40-5a6b7c8d9e0f""#)]
#[case::no_hexadecimal(TripStarted, "booking_id", r#""7d0f000g-1b2c-4d3e-8f40-5a6b7c8d9e0f""#)]
#[case::empty_id(DriverLocationUpdated, "trip_id", r#""""#)]
#[case::multibyte_id(
    DriverLocationUpdated,
    "driver_id",
    r#""7d0f0007-1b2c-4d3e-8f40-5a6b7c8d9eọ""#
)]
#[case::stop(BookingCreated, "pickup_stop_id", r#""stop 7""#)]
#[case::foreign_phone(UserRegistered, "phone", r#""+447911123456""#)]
#[case::local_phone(UserRegistered, "phone", r#""08031234567""#)]
#[case::wrong_prefix(UserRegistered, "phone", r#""+2346031234567""#)]
#[case::wrong_second(UserRegistered, "phone", r#""+2348231234567""#)]
#[case::short_phone(UserRegistered, "phone", r#""+234803123456""#)]
#[case::long_phone(UserRegistered, "phone", r#""+23480312345678""#)]
#[case::arabic_digits(UserRegistered, "phone", r#""+23480٣1234567""#)]
#[case::role(UserRegistered, "role", r#""rider""#)]
#[case::kyc(UserKycVerified, "kyc_status", r#""PENDING""#)]
#[case::fixed_previous_role(UserUpgradedToDriver, "previous_role", r#""ADMIN""#)]
#[case::fixed_new_role(UserUpgradedToDriver, "new_role", r#""RIDER""#)]
#[case::fixed_status(BookingCreated, "booking_status", r#""CONFIRMED""#)]
#[case::cancelled_by(BookingCancelled, "cancelled_by", r#""ADMIN""#)]
#[case::method(PaymentInitiated, "payment_method", r#""CARD""#)]
#[case::currency_case(PaymentInitiated, "currency", r#""ngn""#)]
#[case::currency_length(PaymentInitiated, "currency", r#""NAIRA""#)]
#[case::whole_card_number(PaymentSuccess, "card_last4", r#""5061460410120223""#)]
#[case::masked_card(PaymentSuccess, "card_last4", r#""**81""#)]
#[case::clock_without_seconds(RouteCreated, "departure_time", r#""09:30""#)]
#[case::clock_of_letters(RouteCreated, "departure_time", r#""ab:cd:ef""#)]
#[case::three_decimals(PaymentSuccess, "amount", r#""3000.005""#)]
#[case::three_decimals_of_zero(PaymentSuccess, "amount", r#""3000.000""#)]
#[case::no_whole_part(PaymentSuccess, "amount", r#"".50""#)]
#[case::no_decimals(PaymentSuccess, "amount", r#""3000.""#)]
#[case::thousands(PaymentSuccess, "amount", r#""3,000.00""#)]
#[case::currency_sign(PaymentSuccess, "amount", r#""₦3000""#)]
#[case::space(PaymentSuccess, "amount", r#"" 3000.00""#)]
#[case::plus(PaymentSuccess, "amount", r#""+3000.00""#)]
#[case::exponent_in_a_string(PaymentSuccess, "amount", r#""3e3""#)]
#[case::words(PaymentSuccess, "amount", r#""NaN""#)]
#[case::quotes(PaymentSuccess, "amount", r#""\"3000.00\"""#)]
#[case::empty_amount(PaymentSuccess, "amount", r#""""#)]
#[case::minus_alone(PaymentSuccess, "amount", r#""-""#)]
#[case::inexact_number(PaymentSuccess, "amount", "3000.005")]
#[case::inexact_beyond_a_double(PaymentSuccess, "amount", "3000.0000000000000000000001")]
#[case::tiny(PaymentSuccess, "amount", "1e-400")]
#[case::date(TripStarted, "actual_departure", r#""yesterday""#)]
#[case::no_such_day(TripStarted, "actual_departure", r#""2026-02-30T08:00:00Z""#)]
#[case::no_such_offset(TripStarted, "actual_departure", r#""2026-03-02T08:00:00+25:00""#)]
#[case::empty_time(TripStarted, "actual_departure", r#""""#)]
fn a_string_of_another_form(#[case] kind: EventType, #[case] field: &str, #[case] json: &str) {
    let expected = ("pattern_mismatch", format!("$.{field}"));
    assert_eq!(refused(kind, &with(kind, field, json)), expected);
}

#[rstest]
#[case::no_seat(BookingCreated, "seats_booked", "0")]
#[case::nine_seats(BookingCreated, "seats_booked", "9")]
#[case::negative_seats(BookingCreated, "seats_booked", "-1")]
#[case::seats_beyond_64_bits(BookingCreated, "seats_booked", "18446744073709551616")]
#[case::seats_beyond_a_double(BookingCreated, "seats_booked", "1e400")]
#[case::seats_with_exponent(BookingCreated, "seats_booked", "1e9")]
#[case::passengers(TripStarted, "passengers_count", "9")]
#[case::route_seats(RouteCreated, "seats_total", "0")]
#[case::stops(RouteCreated, "stops_count", "-3")]
#[case::negative_minutes(BookingCompleted, "duration_minutes", "-1")]
#[case::minutes(TripCompleted, "duration_minutes", "4294967296")]
#[case::milliseconds(PaymentSuccess, "processing_time_ms", "-1")]
#[case::distance(TripCompleted, "distance_km", "-0.1")]
#[case::far(TripCompleted, "distance_km", "100000.5")]
#[case::partial_distance(TripCancelled, "partial_distance_km", "-2")]
#[case::latitude(BookingCreated, "pickup_lat", "90.0001")]
#[case::longitude(BookingCreated, "dropoff_lon", "-180.5")]
#[case::latitude_beyond_a_double(DriverLocationUpdated, "lat", "-1e400")]
#[case::longitude_beyond_64_bits(DriverLocationUpdated, "lon", "99999999999999999999999")]
#[case::speed(DriverLocationUpdated, "speed_kmh", "-5")]
#[case::full_circle(DriverLocationUpdated, "bearing", "360")]
#[case::negative_bearing(DriverLocationUpdated, "bearing", "-0.5")]
#[case::accuracy(DriverLocationUpdated, "accuracy_meters", "-8")]
#[case::negative_string(PaymentSuccess, "amount", r#""-3000.00""#)]
#[case::negative_number(PaymentSuccess, "amount", "-3000")]
#[case::negative_fraction(PaymentSuccess, "amount", "-0.01")]
#[case::large_string(PaymentSuccess, "amount", r#""1000000000.01""#)]
#[case::larger_string(
    PaymentSuccess,
    "amount",
    r#""99999999999999999999999999999999999999""#
)]
#[case::large_number(PaymentSuccess, "amount", "1e10")]
#[case::larger_number(PaymentSuccess, "amount", "1e400")]
#[case::largest_number(PaymentSuccess, "amount", "1e99999999999999999999")]
#[case::price(RouteCreated, "base_price", r#""-1""#)]
#[case::hour(RouteCreated, "departure_time", r#""24:00:00""#)]
#[case::minute(RouteCreated, "departure_time", r#""09:60:00""#)]
#[case::before_2000(TripStarted, "scheduled_departure", r#""1999-12-31T23:59:59.999Z""#)]
#[case::after_2199(BookingCreated, "scheduled_departure", r#""2200-01-01T00:00:00Z""#)]
#[case::year_0(TripStarted, "scheduled_departure", r#""0000-01-01T00:00:00Z""#)]
#[case::year_9999(TripStarted, "scheduled_departure", r#""9999-12-31T23:59:59-12:00""#)]
fn a_value_outside_its_limits(#[case] kind: EventType, #[case] field: &str, #[case] json: &str) {
    let expected = ("out_of_range", format!("$.{field}"));
    assert_eq!(refused(kind, &with(kind, field, json)), expected);
}

#[rstest]
#[case::id_as_number(TripStarted, "trip_id", "7")]
#[case::seats_as_string(BookingCreated, "seats_booked", r#""2""#)]
#[case::half_a_seat(BookingCreated, "seats_booked", "2.5")]
#[case::flag_as_number(TripCompleted, "on_time", "1")]
#[case::flag_as_string(TripCompleted, "on_time", r#""true""#)]
#[case::latitude_as_string(BookingCreated, "pickup_lat", r#""6.5""#)]
#[case::amount_as_flag(PaymentSuccess, "amount", "true")]
#[case::amount_as_array(PaymentSuccess, "amount", "[3000]")]
#[case::time_as_number(TripStarted, "actual_departure", "1772434800")]
#[case::days_as_string(RouteCreated, "active_days", r#""MON""#)]
#[case::fields_as_object(RouteUpdated, "updated_fields", "{}")]
#[case::name_as_number(UserRegistered, "full_name", "12")]
fn a_value_of_another_type(#[case] kind: EventType, #[case] field: &str, #[case] json: &str) {
    let expected = ("wrong_type", format!("$.{field}"));
    assert_eq!(refused(kind, &with(kind, field, json)), expected);
}

#[rstest]
#[case::seconds(r#""2026-03-02T08:00:00""#)]
#[case::milliseconds(r#""2026-03-02T08:00:00.123""#)]
#[case::blank(r#""2026-03-02 08:00:00""#)]
#[case::minutes(r#""2026-03-02T08:00""#)]
#[case::day(r#""2026-03-02""#)]
fn a_time_without_an_offset(#[case] json: &str) {
    for field in ["event_timestamp", "scheduled_departure", "actual_departure"] {
        let expected = ("naive_timestamp", format!("$.{field}"));
        assert_eq!(
            refused(TripStarted, &with(TripStarted, field, json)),
            expected
        );
    }
}

#[rstest]
#[case(
    RouteCreated,
    "active_days",
    r#"["MON","TUE","monday"]"#,
    "pattern_mismatch",
    "$.active_days[2]"
)]
#[case(
    RouteCreated,
    "active_days",
    r#"["MON",2]"#,
    "wrong_type",
    "$.active_days[1]"
)]
#[case(
    RouteUpdated,
    "updated_fields",
    r#"[null]"#,
    "wrong_type",
    "$.updated_fields[0]"
)]
fn an_element_of_an_array_has_its_own_path(
    #[case] kind: EventType,
    #[case] field: &str,
    #[case] json: &str,
    #[case] reason: &str,
    #[case] path: &str,
) {
    assert_eq!(
        refused(kind, &with(kind, field, json)),
        (reason, path.to_owned())
    );
}

#[rstest]
#[case(UserRegistered, "phone", r#""+15550001111 secret""#)]
#[case(UserRegistered, "phone", r#"{"secret": 1}"#)]
#[case(UserRegistered, "role", r#""secret""#)]
#[case(
    UserRegistered,
    "user_id",
    r#""secret, expected one secret at line 1 column 2""#
)]
#[case(BookingCreated, "seats_booked", r#""secret, expected more""#)]
#[case(TripCompleted, "on_time", r#""missing field `secret`""#)]
fn a_rejection_repeats_no_value_of_the_record(
    #[case] kind: EventType,
    #[case] field: &str,
    #[case] json: &str,
) {
    let bytes = with(kind, field, json);
    let rejection = decode_as(kind, &bytes).unwrap_err();
    assert!(!rejection.to_string().contains("secret"), "{rejection}");
    assert_eq!(rejection.path, format!("$.{field}"));
}
