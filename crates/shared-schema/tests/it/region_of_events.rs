//! Which events know their region, which users they name, and what is their key.

use rstest::rstest;
use shared_schema::{EventType, OwnRegion, Region, UserId};
use uuid::Uuid;

use crate::samples::{accepted, changed, fixture, with};

fn id(number: u32) -> Uuid {
    Uuid::parse_str(&format!("7d0f{number:04x}-1b2c-4d3e-8f40-5a6b7c8d9e0f")).unwrap()
}

const IKEJA: OwnRegion = OwnRegion::Known(Region {
    state: "Lagos",
    city: "Ikeja",
});
const NOWHERE: OwnRegion = OwnRegion::Known(Region::UNKNOWN);

fn ride(with_route: bool) -> OwnRegion {
    OwnRegion::OfRide {
        booking_id: id(4).into(),
        route_id: with_route.then(|| id(5).into()),
    }
}

#[rstest]
#[case(EventType::UserRegistered, IKEJA)]
#[case(EventType::UserKycVerified, OwnRegion::OfUser(id(1).into()))]
#[case(EventType::UserUpgradedToDriver, OwnRegion::OfUser(id(1).into()))]
#[case(EventType::BookingCreated, IKEJA)]
#[case(EventType::BookingConfirmed, ride(true))]
#[case(EventType::BookingCancelled, ride(true))]
#[case(EventType::BookingCompleted, ride(true))]
#[case(EventType::PaymentInitiated, ride(false))]
#[case(EventType::PaymentSuccess, ride(false))]
#[case(EventType::PaymentFailed, ride(false))]
#[case(EventType::PaymentRefunded, ride(false))]
#[case(EventType::TripStarted, ride(true))]
#[case(EventType::TripCompleted, ride(true))]
#[case(EventType::TripCancelled, ride(true))]
#[case(EventType::RouteCreated, IKEJA)]
#[case(EventType::RouteActivated, OwnRegion::OfRoute(id(5).into()))]
#[case(EventType::RouteCancelled, OwnRegion::OfRoute(id(5).into()))]
#[case(EventType::RouteUpdated, OwnRegion::OfRoute(id(5).into()))]
#[case(EventType::DriverLocationUpdated, IKEJA)]
fn every_type_says_where_its_region_comes_from(#[case] kind: EventType, #[case] own: OwnRegion) {
    let bytes = fixture(kind);
    assert_eq!(accepted(kind, &bytes).event.own_region(), own);
}

#[test]
fn a_pick_up_far_from_any_city_leaves_the_ride_to_its_route() {
    let bytes = with(EventType::BookingCreated, "pickup_lat", "51.5");
    assert_eq!(
        accepted(EventType::BookingCreated, &bytes)
            .event
            .own_region(),
        ride(true)
    );
}

fn location(state: Option<&str>, city: Option<&str>, latitude: f64) -> OwnRegion {
    let bytes = changed(EventType::DriverLocationUpdated, |event| {
        event.insert("state".to_owned(), state.into());
        event.insert("city".to_owned(), city.into());
        event.insert("lat".to_owned(), latitude.into());
    });
    accepted(EventType::DriverLocationUpdated, &bytes)
        .event
        .own_region()
}

#[test]
fn a_location_goes_by_its_fields_and_else_by_its_coordinates() {
    let kano = |city| {
        OwnRegion::Known(Region {
            state: "Kano",
            city,
        })
    };
    assert_eq!(location(Some("Kano"), Some("Wudil"), 6.6018), kano("Wudil"));
    assert_eq!(location(Some("Kano"), None, 6.6018), kano("unknown"));
    assert_eq!(location(None, None, 6.6018), IKEJA);
    assert_eq!(location(Some("Atlantis"), Some("Ikeja"), 6.6018), IKEJA);
    assert_eq!(location(None, None, 51.5), NOWHERE);
}

#[test]
fn a_registration_without_names_stays_unknown() {
    let bytes = changed(EventType::UserRegistered, |event| {
        event.remove("state");
        event.remove("city");
    });
    assert_eq!(
        accepted(EventType::UserRegistered, &bytes)
            .event
            .own_region(),
        NOWHERE
    );
}

#[test]
fn every_type_names_its_users_and_its_key() {
    for &kind in EventType::ALL {
        let bytes = fixture(kind);
        let fields: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let event = accepted(kind, &bytes).event;
        let named = ["user_id", "rider_id", "driver_id"]
            .iter()
            .filter_map(|name| fields[name].as_str());
        let mut expected: Vec<UserId> = named
            .map(|text| UserId::from(Uuid::parse_str(text).unwrap()))
            .collect();
        let mut users: Vec<UserId> = event.users().collect();
        users.sort_unstable();
        expected.sort_unstable();
        assert_eq!(users, expected, "{kind}");
        let entity = match event.domain() {
            shared_schema::Domain::Location => "driver_id".to_owned(),
            domain => format!("{domain}_id"),
        };
        assert_eq!(
            event.entity_id().to_string(),
            fields[entity].as_str().unwrap(),
            "{kind}"
        );
    }
}

#[test]
fn a_driver_who_rides_in_the_own_car_is_named_once() {
    let bytes = with(
        EventType::TripStarted,
        "rider_id",
        &format!("\"{}\"", id(3)),
    );
    let event = accepted(EventType::TripStarted, &bytes).event;
    assert_eq!(event.users().collect::<Vec<_>>(), [UserId::from(id(3))]);
}
