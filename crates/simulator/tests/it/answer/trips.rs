use super::history::{History, Leg, Ride, days, ride};
use serde_json::{json, to_value};

#[test]
fn counts_means_and_sums_are_those_of_the_trips_in_the_range() {
    let other_driver = Ride {
        driver: 51,
        ..ride(4)
    };
    let mut history = History::new();
    let leg = |minutes, centi_km, earnings_kobo, on_time| Leg {
        minutes,
        centi_km,
        earnings_kobo,
        on_time,
    };
    history
        .started("2024-03-04 07:00", ride(1), "2024-03-04 07:00")
        .arrived("2024-03-04 07:30", ride(1), leg(30, 1_001, 100_000, true))
        .started("2024-03-04 08:00", ride(2), "2024-03-04 08:00")
        .arrived("2024-03-04 08:45", ride(2), leg(45, 2_000, 200_000, false))
        .arrived("2024-03-04 09:00", ride(3), leg(1, 0, 4, true))
        .started("2024-03-04 10:00", ride(5), "2024-03-04 10:00")
        .trip_cancelled("2024-03-04 10:10", other_driver)
        .started(
            "2024-03-09 10:00",
            Ride {
                driver: 59,
                ..ride(6)
            },
            "2024-03-09 10:00",
        );
    let answer = to_value(history.key.trips(&days("2024-03-04", "2024-03-04"))).unwrap();
    assert_eq!(
        answer,
        json!({
            "trips_started": 3, "trips_completed": 3, "trips_cancelled": 1,
            "completion_rate": 100.0,
            // 76 / 3 = 25.333…, and 30.01 / 3 = 10.00333…
            "avg_duration_minutes": 25.33, "avg_distance_km": 10.0,
            "on_time_performance": 66.67,
            "total_driver_earnings": "3000.04", "total_platform_commission": "750.01",
            // 50 drove, 51 cancelled; 59 drove on another day
            "active_drivers": 2,
        })
    );
}

#[test]
fn a_mean_half_way_between_two_hundredths_goes_away_from_zero() {
    let mut history = History::new();
    let leg = |centi_km| Leg {
        minutes: 1,
        centi_km,
        earnings_kobo: 0,
        on_time: false,
    };
    history
        .arrived("2024-03-04 07:30", ride(1), leg(1_000))
        .arrived("2024-03-04 07:31", ride(2), leg(1_001));
    let answer = to_value(history.key.trips(&days("2024-03-04", "2024-03-04"))).unwrap();
    assert_eq!(answer["avg_distance_km"], json!(10.01));
    assert_eq!(answer["completion_rate"], json!(null));
}
