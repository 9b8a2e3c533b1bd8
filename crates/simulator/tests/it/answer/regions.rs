use super::history::{History, IKEJA, KANO, LEKKI, Leg, NOWHERE, Ride, at, days, ride};
use simulator::answer::{Granularity, Question};

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
fn of_the_routes_that_a_ride_names_that_of_its_booking_is_right_else_the_earliest() {
    let by = |route| Ride { route, ..ride(1) };
    let mut histories = [History::new(), History::new()];
    for (history, backwards) in histories.iter_mut().zip([false, true]) {
        history
            .route("2024-03-01 06:00", 90, 50, KANO, 4)
            .route("2024-03-01 06:00", 91, 50, IKEJA, 4)
            .paid("2024-03-04 07:01", by(0), 500, 1);
        if backwards {
            history.arrived("2024-03-04 09:00", by(90), LEG).confirmed(
                "2024-03-04 07:02",
                by(91),
                500,
            );
        } else {
            history.confirmed("2024-03-04 07:02", by(91), 500).arrived(
                "2024-03-04 09:00",
                by(90),
                LEG,
            );
        }
        let paid = |history: &History, question: &Question| {
            history.key.payments(question).totals.payments_success
        };
        assert_eq!(paid(history, &march().in_city("Ikeja")), 1);
        history.created("2024-03-04 10:00", by(90), NOWHERE, "2024-03-04 08:00", 1);
        assert_eq!(paid(history, &march().in_city("Kano")), 1);
    }
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

/// Driver 50 completes two rides whose region nobody knows, on two days, and on the second day one in Ikeja.
fn half_known() -> History {
    let mut history = History::new();
    history
        .arrived("2024-03-30 09:00", ride(1), LEG)
        .arrived("2024-03-31 09:00", ride(2), LEG)
        .created("2024-03-31 10:00", ride(3), IKEJA, "2024-03-31 11:00", 1)
        .arrived("2024-03-31 11:00", ride(3), LEG)
        .pinged("2024-03-31 11:50", 50, NOWHERE)
        .pinged("2024-03-31 11:51", 51, NOWHERE);
    history
}

#[test]
fn of_the_unknown_region_are_the_users_who_are_in_no_known_one() {
    let key = half_known().key;
    let whole = key.users(&march());
    // riders 11 to 13, drivers 50 and 51
    assert_eq!((whole.dau, whole.mau), (4, 5));
    let unknown = key.users(&in_unknown());
    // rider 12 and driver 51; with the day before, rider 11 too
    assert_eq!((unknown.dau, unknown.mau), (2, 3));
    let cities = key.users(&march().in_city("unknown"));
    assert_eq!((cities.dau, cities.mau), (2, 3));
    let lagos = key.users(&march().in_state("Lagos"));
    assert_eq!(whole.mau, unknown.mau + lagos.mau);

    let daily = in_unknown().by(Granularity::Daily);
    let series = key.users(&daily).time_series.unwrap();
    let active: Vec<u64> = series
        .iter()
        .map(|point| point.values.active_users)
        .collect();
    // on the first day driver 50 was in no known region yet
    assert_eq!(active[29..], [2, 2]);
}

#[test]
fn of_the_unknown_region_are_the_drivers_and_days_that_are_in_no_known_one() {
    let key = half_known().key;
    let trips = key.trips(&in_unknown());
    assert_eq!((trips.trips_completed, trips.active_drivers), (2, 0));
    let drivers = key.drivers(&in_unknown(), 9).drivers;
    assert_eq!(drivers.len(), 1);
    assert_eq!((drivers[0].total_trips, drivers[0].active_days), (2, 1));
    let noon = key.realtime(at("2024-03-31 12:00"), &in_unknown().region);
    assert_eq!((noon.active_users, noon.active_drivers), (2, 2));
    let soon = key.realtime(at("2024-03-31 11:10"), &in_unknown().region);
    assert_eq!(soon.active_users, 0);
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
