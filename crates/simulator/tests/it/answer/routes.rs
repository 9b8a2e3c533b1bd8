use super::history::{History, IKEJA, KANO, Ride, days, id};
use serde_json::{json, to_value};

const fn on(route: u128, number: u128) -> Ride {
    Ride {
        number,
        rider: 10 + number,
        driver: 50,
        route,
    }
}

#[test]
fn routes_are_ordered_by_confirmed_bookings_and_then_by_id() {
    let mut history = History::new();
    history
        .confirmed("2024-03-04 07:00", on(93, 1), 100)
        .confirmed("2024-03-04 07:00", on(92, 2), 100)
        .confirmed("2024-03-04 07:00", on(91, 3), 100)
        .confirmed("2024-03-04 07:30", on(91, 4), 155)
        // yesterday's does not count
        .confirmed("2024-03-03 07:30", on(93, 5), 155);
    let answer = history.key.routes(&days("2024-03-04", "2024-03-04"), 50);
    let order: Vec<_> = answer
        .routes
        .iter()
        .map(|row| (row.route_id, row.total_bookings))
        .collect();
    assert_eq!(order, [(id(91), 2), (id(92), 1), (id(93), 1)]);
    assert_eq!(
        history
            .key
            .routes(&days("2024-03-04", "2024-03-04"), 2)
            .routes
            .len(),
        2
    );
}

#[test]
fn what_only_the_creation_of_a_route_tells_is_null_where_it_was_never_seen() {
    let mut history = History::new();
    history
        .created("2024-03-04 06:00", on(91, 1), IKEJA, "2024-03-04 08:00", 2)
        .confirmed("2024-03-04 07:00", on(91, 1), 100);
    let answer = to_value(history.key.routes(&days("2024-03-04", "2024-03-04"), 50)).unwrap();
    assert_eq!(
        answer["routes"][0],
        json!({
            "route_id": "00000000-0000-0000-0000-00000000005b",
            "route_name": null, "origin_city": null, "destination_city": null, "driver_id": null,
            "total_bookings": 1, "total_revenue": "1.00", "avg_occupancy": null, "seats_total": null,
        })
    );
}

/// Route 90 has 4 seats. It leaves three times that day: with 2 + 1 seats sold, with 1 sold and 1 cancelled, and
/// with nobody confirmed.
#[test]
fn occupancy_is_the_seats_sold_over_the_seats_of_departures_that_sold_any() {
    let mut history = History::new();
    history
        .route("2024-03-01 06:00", 90, 50, KANO, 4)
        .created("2024-03-04 05:00", on(90, 1), IKEJA, "2024-03-04 08:00", 2)
        .confirmed("2024-03-04 05:01", on(90, 1), 200_000)
        .created("2024-03-04 05:10", on(90, 2), IKEJA, "2024-03-04 08:00", 1)
        .confirmed("2024-03-04 05:11", on(90, 2), 100_000)
        .created("2024-03-04 09:00", on(90, 3), IKEJA, "2024-03-04 10:00", 1)
        .confirmed("2024-03-04 09:01", on(90, 3), 100_000)
        .created("2024-03-04 09:10", on(90, 4), IKEJA, "2024-03-04 10:00", 3)
        .confirmed("2024-03-04 09:11", on(90, 4), 300_000)
        .cancelled("2024-03-04 09:30", on(90, 4))
        .created("2024-03-04 11:00", on(90, 5), IKEJA, "2024-03-04 12:00", 4);
    let answer = to_value(history.key.routes(&days("2024-03-04", "2024-03-04"), 50)).unwrap();
    assert_eq!(
        answer["routes"][0],
        json!({
            "route_id": "00000000-0000-0000-0000-00000000005a",
            "route_name": "Route 90", "origin_city": "Kano", "destination_city": "Lekki",
            "driver_id": "00000000-0000-0000-0000-000000000032",
            "total_bookings": 4, "total_revenue": "7000.00",
            // (2 + 1 + 1) of (4 + 4)
            "avg_occupancy": 50.0, "seats_total": 4,
        })
    );
}

#[test]
fn a_departure_counts_in_the_range_in_which_it_leaves() {
    let mut history = History::new();
    history
        .route("2024-03-01 06:00", 90, 50, IKEJA, 8)
        .created("2024-03-04 23:00", on(90, 1), IKEJA, "2024-03-05 08:00", 2)
        .confirmed("2024-03-04 23:01", on(90, 1), 200_000);
    let booked = history.key.routes(&days("2024-03-04", "2024-03-04"), 50);
    assert_eq!(booked.routes[0].avg_occupancy, None);
    let both = to_value(history.key.routes(&days("2024-03-04", "2024-03-05"), 50)).unwrap();
    assert_eq!(both["routes"][0]["avg_occupancy"], json!(25.0));
    assert!(
        history
            .key
            .routes(&days("2024-03-05", "2024-03-05"), 50)
            .routes
            .is_empty()
    );
}
