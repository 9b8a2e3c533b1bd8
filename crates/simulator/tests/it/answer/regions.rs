use super::history::{History, IKEJA, KANO, LEKKI, Leg, NOWHERE, Ride, days, ride};
use simulator::answer::Question;

const LEG: Leg = Leg {
    minutes: 10,
    centi_km: 100,
    earnings_kobo: 100,
    on_time: true,
};

fn march() -> Question {
    days("2024-03-01", "2024-03-31")
}

fn in_unknown() -> Question {
    march().in_state("unknown")
}

#[test]
fn a_ride_lies_where_it_picks_up_and_not_where_its_route_begins() {
    let mut history = History::new();
    history
        .route("2024-03-01 06:00", 90, 50, KANO, 4)
        .created("2024-03-04 07:00", ride(1), IKEJA, "2024-03-04 08:00", 1)
        .paid("2024-03-04 07:01", ride(1), 500, 1)
        .arrived("2024-03-04 09:00", ride(1), LEG);
    let key = history.key;
    assert_eq!(key.bookings(&march().in_city("Ikeja")).bookings_created, 1);
    assert_eq!(
        key.payments(&march().in_state("Lagos"))
            .totals
            .payments_success,
        1
    );
    assert_eq!(key.trips(&march().in_state("Lagos")).trips_completed, 1);
    assert_eq!(key.drivers(&march().in_state("Lagos"), 9).drivers.len(), 1);
    assert_eq!(key.bookings(&march().in_state("Kano")).bookings_created, 0);
    assert_eq!(key.trips(&march().in_state("Kano")).trips_completed, 0);
}

#[test]
fn without_a_known_pick_up_a_ride_lies_where_its_route_begins() {
    let mut history = History::new();
    history
        // a telephone without a fix
        .created("2024-03-04 07:00", ride(1), NOWHERE, "2024-03-04 08:00", 1)
        .paid("2024-03-04 07:01", ride(1), 500, 1)
        // a ride whose booking was never seen, known by its trip
        .arrived("2024-03-04 09:00", ride(2), LEG)
        .paid("2024-03-04 07:01", ride(2), 500, 1)
        // and one of which only a payment is known
        .paid("2024-03-04 07:01", ride(3), 500, 1)
        // the route comes last: the order does not matter
        .route("2024-03-01 06:00", 90, 50, KANO, 4);
    let key = history.key;
    assert_eq!(key.bookings(&march().in_state("Kano")).bookings_created, 1);
    assert_eq!(
        key.payments(&march().in_city("Kano"))
            .totals
            .payments_success,
        2
    );
    assert_eq!(key.trips(&march().in_state("Kano")).trips_completed, 1);
    assert_eq!(key.payments(&in_unknown()).totals.payments_success, 1);
}

#[test]
fn a_ride_of_an_unknown_route_lies_nowhere() {
    let mut history = History::new();
    history.created("2024-03-04 07:00", ride(1), NOWHERE, "2024-03-04 08:00", 1);
    assert_eq!(history.key.bookings(&in_unknown()).bookings_created, 1);
    assert_eq!(
        history
            .key
            .bookings(&in_unknown().in_city("unknown"))
            .bookings_created,
        1
    );
}

#[test]
fn accounts_lie_where_they_were_registered() {
    let mut history = History::new();
    history
        .checked("2024-03-02 12:00", 1, true)
        .registered("2024-03-01 12:00", 1, KANO)
        // registered before the story begins
        .checked("2024-03-02 12:00", 2, true);
    let key = history.key;
    // the last 30 days of March begin on the day of the check
    let kano = key.users(&march().in_state("Kano"));
    assert_eq!(
        (kano.mau, kano.new_registrations, kano.total_users),
        (1, 1, 1)
    );
    let kano = key.users(&days("2024-03-02", "2024-03-02").in_state("Kano"));
    assert_eq!(
        (kano.dau, kano.new_registrations, kano.total_users),
        (1, 0, 1)
    );
    let unknown = key.users(&days("2024-03-02", "2024-03-02").in_state("unknown"));
    assert_eq!((unknown.dau, unknown.total_users), (1, 0));
}

#[test]
fn a_user_is_active_in_the_region_of_each_event_that_names_them() {
    let traveller = Ride {
        rider: 11,
        ..ride(2)
    };
    let mut history = History::new();
    history
        .created("2024-03-31 07:00", ride(1), IKEJA, "2024-03-31 08:00", 1)
        .created("2024-03-31 17:00", traveller, KANO, "2024-03-31 18:00", 1)
        .pinged("2024-03-31 07:00", 50, LEKKI);
    let active = |question: Question| history.key.users(&question).dau;
    assert_eq!(active(march()), 2);
    assert_eq!(active(march().in_city("Ikeja")), 2);
    assert_eq!(active(march().in_city("Lekki")), 1);
    assert_eq!(active(march().in_state("Lagos")), 2);
    assert_eq!(active(march().in_state("Kano")), 2);
    assert_eq!(active(march().in_state("Kano").in_city("Ikeja")), 0);
}

#[test]
fn a_route_counts_the_bookings_of_the_region() {
    let mut history = History::new();
    history
        .route("2024-03-01 06:00", 90, 50, KANO, 4)
        .created("2024-03-04 07:00", ride(1), IKEJA, "2024-03-04 08:00", 3)
        .confirmed("2024-03-04 07:01", ride(1), 300)
        .created("2024-03-04 07:00", ride(2), KANO, "2024-03-04 08:00", 1)
        .confirmed("2024-03-04 07:01", ride(2), 100);
    let rows = history.key.routes(&march().in_state("Lagos"), 9).routes;
    assert_eq!(
        (rows.len(), rows[0].total_bookings, rows[0].total_revenue.0),
        (1, 1, 300)
    );
    assert_eq!(rows[0].avg_occupancy.unwrap().0, 7_500);
    let all = history.key.routes(&march(), 9).routes;
    assert_eq!(
        (all[0].total_bookings, all[0].avg_occupancy.unwrap().0),
        (2, 10_000)
    );
}
