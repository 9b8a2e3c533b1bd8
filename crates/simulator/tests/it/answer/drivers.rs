use super::history::{History, Leg, Ride, days, id, ride};
use serde_json::{json, to_value};

fn drove(history: &mut History, clock: &str, driver: u128, number: u128, leg: Leg) {
    history.arrived(
        clock,
        Ride {
            driver,
            ..ride(number)
        },
        leg,
    );
}

/// 53 earns 30 on two local days, 51 and 52 earn 20 each, 54 earns 4 (all in naira).
fn drivers() -> History {
    let mut history = History::new();
    let leg = |naira: i64, centi_km, on_time| Leg {
        minutes: 10,
        centi_km,
        earnings_kobo: naira * 100,
        on_time,
    };
    drove(&mut history, "2024-03-04 07:30", 52, 1, leg(20, 500, true));
    drove(&mut history, "2024-03-04 08:30", 51, 2, leg(20, 500, true));
    drove(&mut history, "2024-03-04 23:30", 53, 3, leg(10, 123, true));
    drove(&mut history, "2024-03-05 00:15", 53, 4, leg(10, 200, false));
    drove(&mut history, "2024-03-05 09:00", 53, 5, leg(10, 7, true));
    drove(&mut history, "2024-03-05 10:00", 54, 6, leg(4, 100, false));
    history.started(
        "2024-03-05 11:00",
        Ride {
            driver: 55,
            ..ride(7)
        },
        "2024-03-05 11:00",
    );
    history
}

#[test]
fn drivers_are_ordered_by_earnings_and_then_by_id() {
    let answer = drivers()
        .key
        .drivers(&days("2024-03-04", "2024-03-05"), 100);
    let order: Vec<_> = answer.drivers.iter().map(|row| row.driver_id).collect();
    assert_eq!(order, [id(53), id(51), id(52), id(54)]);
    assert_eq!(
        to_value(&answer.drivers[0]).unwrap(),
        json!({
            "driver_id": "00000000-0000-0000-0000-000000000035",
            "total_trips": 3, "total_earnings": "30.00", "avg_earnings_per_trip": "10.00",
            "total_distance_km": 3.3,
            // 23:30 and 00:15 are two days in Lagos, and one in UTC
            "active_days": 2, "on_time_rate": 66.67,
        })
    );
}

#[test]
fn the_limit_shortens_the_list_and_not_the_distribution() {
    let answer = drivers().key.drivers(&days("2024-03-04", "2024-03-05"), 1);
    assert_eq!(answer.drivers.len(), 1);
    // 4, 20, 20, 30: at 0.3, 0.75, 1.5, 2.25 and 2.7 between them
    assert_eq!(
        to_value(&answer.earnings_distribution).unwrap(),
        json!({"p10": "8.80", "p25": "16.00", "p50": "20.00", "p75": "22.50", "p90": "27.00"})
    );
}

#[test]
fn without_completed_trips_there_is_no_driver_and_no_distribution() {
    let answer = drivers().key.drivers(&days("2024-04-04", "2024-04-05"), 10);
    assert_eq!(
        to_value(&answer).unwrap(),
        json!({
            "drivers": [],
            "earnings_distribution": {"p10": null, "p25": null, "p50": null, "p75": null, "p90": null},
        })
    );
}
