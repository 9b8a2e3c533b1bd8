use super::history::{History, IKEJA, KANO, LAGOS, Leg, at, created, ping, ride, started};
use serde_json::{json, to_value};
use simulator::answer::{Question, RegionFilter};
use simulator::event::{Method, PaymentStep};

const NOW: &str = "2024-03-04 12:00";
const LEG: Leg = Leg {
    minutes: 10,
    centi_km: 100,
    earnings_kobo: 100,
    on_time: true,
};

fn tiles(history: &History) -> serde_json::Value {
    to_value(history.key.realtime(at(NOW), &RegionFilter::default())).unwrap()
}

#[test]
fn an_empty_country_is_quiet() {
    assert_eq!(
        tiles(&History::new()),
        json!({
            "active_users": 0, "active_drivers": 0, "active_trips": 0, "bookings_last_hour": 0,
            "revenue_last_hour": "0.00", "other_currencies": {}, "avg_wait_time_minutes": null,
        })
    );
}

#[test]
fn the_last_hour_begins_after_the_same_minute_of_the_hour_before() {
    let mut history = History::new();
    history
        .created("2024-03-04 11:00", ride(1), IKEJA, "2024-03-04 14:00", 1)
        .created(
            "2024-03-04 11:00:00.001",
            ride(2),
            IKEJA,
            "2024-03-04 14:00",
            1,
        )
        .created("2024-03-04 12:00", ride(3), IKEJA, "2024-03-04 14:00", 1)
        .created(
            "2024-03-04 12:00:00.001",
            ride(4),
            IKEJA,
            "2024-03-04 14:00",
            1,
        )
        .paid("2024-03-04 11:00", ride(1), 100, 1)
        .paid("2024-03-04 11:30", ride(2), 250, 1)
        .payment(
            "2024-03-04 11:31",
            ride(3),
            "USD",
            PaymentStep::Success {
                amount: 999,
                method: Method::Card,
                processing_ms: 1,
                card_last4: None,
            },
        );
    let tiles = tiles(&history);
    assert_eq!(tiles["bookings_last_hour"], json!(2));
    assert_eq!(tiles["revenue_last_hour"], json!("2.50"));
    assert_eq!(
        tiles["other_currencies"],
        json!({"USD": {"revenue_last_hour": "9.99"}})
    );
}

#[test]
fn users_and_drivers_are_active_for_a_quarter_of_an_hour() {
    let mut history = History::new();
    history
        .pinged("2024-03-04 11:44:59.999", 51, IKEJA)
        .pinged("2024-03-04 11:45", 52, IKEJA)
        .pinged("2024-03-04 11:50", 53, IKEJA)
        .pinged("2024-03-04 11:51", 53, IKEJA)
        .paid("2024-03-04 11:45:00.001", ride(1), 1, 1)
        .pinged("2024-03-04 12:00:00.001", 54, IKEJA);
    let tiles = tiles(&history);
    // 52's ping is exactly 15 minutes old: recent enough for the driver's tile, not inside (now − 15 min, now]
    assert_eq!(tiles["active_drivers"], json!(2));
    assert_eq!(tiles["active_users"], json!(2));
}

#[test]
fn a_trip_is_active_from_its_start_to_its_end_or_for_a_day() {
    let mut history = History::new();
    history
        .started("2024-03-03 11:59:59.999", ride(1), "2024-03-03 12:00")
        .started("2024-03-03 12:00", ride(2), "2024-03-03 12:00")
        .started("2024-03-04 11:00", ride(3), "2024-03-04 11:00")
        .started("2024-03-04 11:00", ride(4), "2024-03-04 11:00")
        .started("2024-03-04 11:00", ride(5), "2024-03-04 11:00")
        .started("2024-03-04 12:01", ride(6), "2024-03-04 12:01")
        .arrived("2024-03-04 12:00", ride(3), LEG)
        .trip_cancelled("2024-03-04 11:30", ride(4))
        .arrived("2024-03-04 12:00:00.001", ride(5), LEG);
    // 2 and 5
    assert_eq!(tiles(&history)["active_trips"], json!(2));
}

#[test]
fn waiting_is_the_mean_delay_and_an_early_start_is_no_negative_wait() {
    let mut history = History::new();
    history
        .started("2024-03-04 11:10", ride(1), "2024-03-04 11:00")
        .started("2024-03-04 11:20", ride(2), "2024-03-04 11:30")
        .started("2024-03-04 11:40:30", ride(3), "2024-03-04 11:40")
        .started("2024-03-04 10:50", ride(4), "2024-03-04 09:50");
    // (10 + 0 + 0.5) / 3
    assert_eq!(tiles(&history)["avg_wait_time_minutes"], json!(3.5));
}

#[test]
fn an_event_from_a_clock_that_was_ahead_counts_everywhere_but_here() {
    let decided = "2024-03-04 11:40";
    let mut history = History::new();
    history
        .tell_ahead(
            "2024-03-04 11:45:00.001",
            decided,
            created(ride(1), IKEJA, "2024-03-04 14:00", 1),
        )
        .tell_ahead("2024-03-04 11:50", decided, ping(51, IKEJA))
        .tell_ahead(
            "2024-03-04 11:50",
            decided,
            started(ride(2), "2024-03-04 11:40", "2024-03-04 11:50"),
        )
        // five minutes ahead is tolerated
        .tell_ahead(
            "2024-03-04 11:45",
            decided,
            created(ride(3), IKEJA, "2024-03-04 14:00", 1),
        );
    let tiles = tiles(&history);
    assert_eq!(tiles["bookings_last_hour"], json!(1));
    assert_eq!(tiles["active_drivers"], json!(0));
    assert_eq!(tiles["active_trips"], json!(0));
    assert_eq!(tiles["avg_wait_time_minutes"], json!(null));
    let day = Question::over(at("2024-03-04 00:00"), at("2024-03-05 00:00"), LAGOS);
    assert_eq!(history.key.bookings(&day).bookings_created, 2);
}

#[test]
fn each_region_has_its_own_tiles() {
    let mut history = History::new();
    history
        .created("2024-03-04 11:50", ride(1), KANO, "2024-03-04 14:00", 1)
        .pinged("2024-03-04 11:50", 51, IKEJA);
    let kano = RegionFilter {
        state: Some("Kano".to_owned()),
        city: None,
    };
    let tiles = history.key.realtime(at(NOW), &kano);
    assert_eq!(
        (
            tiles.bookings_last_hour,
            tiles.active_drivers,
            tiles.active_users
        ),
        (1, 0, 2)
    );
}
