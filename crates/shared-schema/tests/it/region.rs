//! States and cities out of names and coordinates.

use std::collections::HashSet;

use proptest::prelude::*;
use rstest::rstest;
use shared_schema::{City, Latitude, Longitude, Region};

const UNKNOWN: (&str, &str) = ("unknown", "unknown");

fn named(state: Option<&str>, city: Option<&str>) -> (&'static str, &'static str) {
    let Region { state, city } = Region::from_names(state, city);
    (state, city)
}

fn at(latitude: f64, longitude: f64) -> Region {
    Region::from_coordinates(
        Latitude::new(latitude).unwrap(),
        Longitude::new(longitude).unwrap(),
    )
}

/// Great-circle distance by the haversine formula, in kilometres.
fn distance_km(city: &City, latitude: f64, longitude: f64) -> f64 {
    let (lat1, lat2) = (city.latitude.to_radians(), latitude.to_radians());
    let half_lat = (lat2 - lat1) / 2.0;
    let half_lon = (longitude - city.longitude).to_radians() / 2.0;
    let h = half_lat.sin().powi(2) + lat1.cos() * lat2.cos() * half_lon.sin().powi(2);
    2.0 * 6371.0088 * h.sqrt().asin()
}

#[test]
fn the_table_has_all_states_and_their_main_cities() {
    let states: HashSet<&str> = Region::states().collect();
    assert_eq!(Region::states().count(), 37);
    assert_eq!(states.len(), 37, "a state's cities stand together");
    assert!(Region::cities().len() >= 150);
    let regions: HashSet<Region> = Region::cities().iter().map(City::region).collect();
    assert_eq!(regions.len(), Region::cities().len());
    for city in Region::cities() {
        assert!((4.2..13.9).contains(&city.latitude), "{city:?}");
        assert!((2.6..14.7).contains(&city.longitude), "{city:?}");
    }
}

// The table has these places from GeoNames; here they are as OpenStreetMap has them.
#[rstest]
#[case("Abia", "Umuahia", 5.532, 7.492)]
#[case("Bauchi", "Bauchi", 10.315, 9.845)]
#[case("Borno", "Maiduguri", 11.840, 13.154)]
#[case("Cross River", "Calabar", 4.980, 8.337)]
#[case("Edo", "Benin City", 6.333, 5.622)]
#[case("Enugu", "Enugu", 6.450, 7.514)]
#[case("FCT", "Abuja", 9.064, 7.489)]
#[case("Kaduna", "Kaduna", 10.518, 7.436)]
#[case("Kano", "Kano", 11.994, 8.522)]
#[case("Kogi", "Lokoja", 7.802, 6.743)]
#[case("Kwara", "Ilorin", 8.496, 4.548)]
#[case("Lagos", "Ikeja", 6.597, 3.343)]
#[case("Oyo", "Ibadan", 7.379, 3.897)]
#[case("Plateau", "Jos", 9.918, 8.898)]
#[case("Rivers", "Port Harcourt", 4.768, 7.019)]
#[case("Sokoto", "Sokoto", 13.061, 5.237)]
#[case("Taraba", "Jalingo", 8.895, 11.360)]
fn coordinates_are_right(
    #[case] state: &str,
    #[case] name: &str,
    #[case] latitude: f64,
    #[case] longitude: f64,
) {
    let city = Region::cities()
        .iter()
        .find(|c| c.state == state && c.name == name)
        .unwrap();
    assert!((city.latitude - latitude).abs() < 0.05, "{city:?}");
    assert!((city.longitude - longitude).abs() < 0.05, "{city:?}");
}

#[test]
fn every_city_is_found_by_its_names_and_by_its_place() {
    for city in Region::cities() {
        let loud = format!(" {} STATE", city.state.to_uppercase().replace(' ', "-"));
        let joined = city.name.to_lowercase().replace([' ', '-', '\''], "");
        assert_eq!(
            Region::from_names(Some(&loud), Some(&joined)),
            city.region()
        );
        assert_eq!(at(city.latitude, city.longitude), city.region());
    }
}

#[rstest]
#[case(Some("Lagos State"), Some("IKEJA"), ("Lagos", "Ikeja"))]
#[case(Some("rivers"), Some("Port-Harcourt"), ("Rivers", "Port Harcourt"))]
#[case(Some("Rivers State"), Some("PH"), ("Rivers", "Port Harcourt"))]
#[case(Some("Abuja"), Some("Abuja"), ("FCT", "Abuja"))]
#[case(Some("F.C.T."), Some("Wuse 2"), ("FCT", "Abuja"))]
#[case(Some("Federal Capital Territory"), Some("Gwarinpa"), ("FCT", "Abuja"))]
#[case(Some("Ọ̀ṣun"), Some("Òṣogbo"), ("Osun", "Osogbo"))]
#[case(Some("Nassarawa State"), Some("Maraba"), ("Nasarawa", "Karu"))]
#[case::city_alone(None, Some("Ibadan"), ("Oyo", "Ibadan"))]
#[case::blank_state(Some("  "), Some("Aba"), ("Abia", "Aba"))]
#[case::state_alone(Some("Kano"), None, ("Kano", "unknown"))]
#[case::unknown_city(Some("Kano"), Some("Paris"), ("Kano", "unknown"))]
#[case::city_of_another_state(Some("Kano"), Some("Ikeja"), ("Kano", "unknown"))]
#[case::city_of_two_states(None, Some("Koko"), UNKNOWN)]
#[case::city_of_two_states_with_its_state(Some("Kebbi"), Some("Koko"), ("Kebbi", "Koko"))]
#[case::unknown_state(Some("Greater Accra"), Some("Ikeja"), UNKNOWN)]
#[case::nothing(None, None, UNKNOWN)]
#[case::blanks(Some(""), Some(" - "), UNKNOWN)]
#[case::word_state_alone(Some("State"), Some("Ikeja"), UNKNOWN)]
#[case::unknown_itself(Some("unknown"), Some("unknown"), UNKNOWN)]
#[case::another_script(None, Some("東京"), UNKNOWN)]
fn names_are_read_as_people_write_them(
    #[case] state: Option<&str>,
    #[case] city: Option<&str>,
    #[case] expected: (&str, &str),
) {
    assert_eq!(named(state, city), expected);
}

#[test]
fn a_name_of_any_length_is_read() {
    let long = "Ikeja".repeat(100_000);
    assert_eq!(named(Some("Lagos"), Some(&long)), ("Lagos", "unknown"));
    assert_eq!(named(Some(&long), None), UNKNOWN);
}

#[rstest]
#[case::lagos_airport(6.5774, 3.3212, ("Lagos", "Ikeja"))]
#[case::ibadan(7.39, 3.91, ("Oyo", "Ibadan"))]
#[case::cotonou_is_near_the_border(6.3703, 2.3912, ("Ogun", "Idiroko"))]
#[case::gulf_of_guinea(2.0, 5.0, UNKNOWN)]
#[case::london(51.5, -0.12, UNKNOWN)]
#[case::null_island(0.0, 0.0, UNKNOWN)]
#[case::poles(-90.0, 180.0, UNKNOWN)]
fn a_place_belongs_to_the_nearest_city_within_100_km(
    #[case] latitude: f64,
    #[case] longitude: f64,
    #[case] expected: (&str, &str),
) {
    let Region { state, city } = at(latitude, longitude);
    assert_eq!((state, city), expected);
}

#[test]
fn the_reach_ends_at_100_km() {
    // Due south of Brass lies the open sea.
    let brass = Region::cities()
        .iter()
        .find(|city| city.name == "Brass")
        .unwrap();
    let degrees = |km: f64| km / (6371.0088 * std::f64::consts::PI / 180.0);
    let south = |km: f64| at(brass.latitude - degrees(km), brass.longitude);
    assert_eq!(south(99.9), brass.region());
    assert_eq!(south(100.1), Region::UNKNOWN);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_grid_finds_what_a_search_of_all_cities_finds(
        latitude in 2.0..16.0_f64, longitude in 0.5..17.5_f64,
    ) {
        let distances = Region::cities().iter().map(|city| (distance_km(city, latitude, longitude), city));
        let mut nearest: Vec<_> = distances.collect();
        nearest.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (least, city) = nearest[0];
        // At a tie to the millimetre, two formulas may disagree.
        prop_assume!(nearest[1].0 - least > 1e-6 && (least - 100.0).abs() > 1e-6);
        let expected = if least <= 100.0 { city.region() } else { Region::UNKNOWN };
        prop_assert_eq!(at(latitude, longitude), expected);
    }
}
