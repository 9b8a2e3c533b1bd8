//! What happens in the simulated country.

use proptest::prelude::*;
use simulator::event::{BookingStep, Fact, LogicalEvent, PaymentStep, RouteStep, TripStep};
use simulator::{Config, Disorder, Founding, Occurrence, Shape, Simulation, Tempo};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// 2024-03-25T00:00:00Z, a Monday.
pub(crate) const START_MS: i64 = 1_711_324_800_000;
pub(crate) const END_MS: i64 = START_MS + 10 * 24 * 3_600_000;

pub(crate) fn config(seed: u64, rides: u64) -> Config {
    Config::new(seed, START_MS, END_MS, rides)
}

fn orderly(seed: u64, rides: u64) -> Vec<Occurrence> {
    Simulation::new(&Config {
        disorder: Disorder::NONE,
        ..config(seed, rides)
    })
    .collect()
}

/// What became of a booking: the names of its events in the order of their times.
fn stories(occurrences: &[Occurrence]) -> HashMap<Uuid, Vec<&LogicalEvent>> {
    let mut stories = HashMap::<Uuid, Vec<&LogicalEvent>>::new();
    for Occurrence { event, .. } in occurrences {
        let booking = match &event.fact {
            Fact::Booking(fact) => fact.booking,
            Fact::Payment(fact) => fact.booking,
            Fact::Trip(fact) => fact.booking,
            _ => continue,
        };
        stories.entry(booking).or_default().push(event);
    }
    for story in stories.values_mut() {
        story.sort_by_key(|event| event.at_ms);
    }
    stories
}

/// The rank that an event must have in its ride's story.
fn rank(fact: &Fact) -> u32 {
    match fact {
        Fact::Booking(fact) => match fact.step {
            BookingStep::Created { .. } => 0,
            BookingStep::Confirmed { .. } => 3,
            BookingStep::Completed { .. } => 6,
            BookingStep::Cancelled { .. } => 7,
        },
        Fact::Payment(fact) => match fact.step {
            PaymentStep::Initiated { .. } | PaymentStep::Failed { .. } => 1,
            PaymentStep::Success { .. } => 2,
            PaymentStep::Refunded { .. } => 8,
        },
        Fact::Trip(fact) => match fact.step {
            TripStep::Started { .. } => 4,
            TripStep::Completed { .. } | TripStep::Cancelled { .. } => 5,
        },
        _ => 9,
    }
}

fn count(story: &[&LogicalEvent], event_type: &str) -> usize {
    story
        .iter()
        .filter(|event| event.fact.event_type() == event_type)
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_ride_goes_through_its_steps_in_order(seed: u64) {
        for story in stories(&orderly(seed, 300)).values() {
            let names: Vec<_> = story.iter().map(|event| event.fact.event_type()).collect();
            prop_assert_eq!(names[0], "booking.created");
            prop_assert!(story.is_sorted_by_key(|event| rank(&event.fact)), "{:?}", names);
            let counts = |event_type| count(story, event_type);
            prop_assert!(counts("booking.created") == 1 && counts("payment.success") <= 1);
            prop_assert!(counts("booking.completed") + counts("booking.cancelled") <= 1);
            prop_assert!(counts("trip.started") <= counts("booking.confirmed"));
            prop_assert!(counts("booking.confirmed") <= counts("payment.success"));
            prop_assert!(counts("booking.completed") <= counts("trip.completed"));
            prop_assert!(counts("payment.refunded") <= counts("payment.success"));
            // each payment ends at most once
            prop_assert!(counts("payment.success") + counts("payment.failed") <= counts("payment.initiated"));
        }
    }

    #[test]
    fn arrivals_are_in_order_and_end_with_the_span(seed: u64) {
        let all: Vec<Occurrence> = Simulation::new(&config(seed, 300)).collect();
        prop_assert!(all.is_sorted_by_key(|occurrence| occurrence.arrival_ms));
        let hour_ms = 3_600_000;
        for Occurrence { arrival_ms, event } in &all {
            prop_assert!((START_MS..=END_MS).contains(arrival_ms));
            prop_assert!((START_MS..=END_MS + hour_ms).contains(&event.at_ms));
        }
    }

    #[test]
    fn the_events_of_one_entity_arrive_in_the_order_in_which_they_happened(seed: u64) {
        let disorder = Disorder { skewed: 0.0, out_of_order: 0.5, late: 0.1, ..Disorder::NORMAL };
        let mut latest = HashMap::new();
        for Occurrence { event, .. } in Simulation::new(&Config { disorder, ..config(seed, 300) }) {
            // A driver's pings come from several bookings, of which some are late.
            if !matches!(event.fact, Fact::Location(_)) {
                let before = latest.insert(event.fact.entity(), event.at_ms);
                prop_assert!(before.is_none_or(|before| before <= event.at_ms));
            }
        }
    }
}

#[test]
fn identities_are_unique() {
    let mut ids = HashSet::new();
    let all = Simulation::new(&config(5, 2_000));
    assert!(
        all.filter_map(|occurrence| occurrence.event.id)
            .all(|id| ids.insert(id))
    );
}

#[test]
fn most_rides_take_place_and_the_others_fail_in_every_way() {
    let all = orderly(6, 4_000);
    let mut totals = HashMap::<&str, usize>::new();
    for Occurrence { event, .. } in &all {
        *totals.entry(event.fact.event_type()).or_default() += 1;
    }
    let share = |part: &str, whole: &str| totals[part] as f64 / totals[whole] as f64;
    assert!((0.78..0.85).contains(&share("booking.completed", "booking.created")));
    assert!((0.10..0.20).contains(&share("booking.cancelled", "booking.created")));
    assert!((0.07..0.13).contains(&share("payment.failed", "payment.initiated")));
    assert!((0.05..0.15).contains(&share("payment.refunded", "payment.success")));
    assert_eq!(totals.len(), 19, "{totals:?}");
}

#[test]
fn departures_carry_several_bookings_and_are_never_overbooked() {
    let all = orderly(7, 20_000);
    let mut seats_total = HashMap::new();
    let mut sold = HashMap::<(Uuid, i64), Vec<u8>>::new();
    for Occurrence { event, .. } in &all {
        match &event.fact {
            Fact::Route(fact) => {
                if let RouteStep::Created {
                    seats_total: seats, ..
                } = fact.step
                {
                    seats_total.insert(fact.route, seats);
                }
            }
            Fact::Booking(fact) => {
                if let BookingStep::Created {
                    seats,
                    scheduled_departure_ms,
                    ..
                } = fact.step
                {
                    sold.entry((fact.route, scheduled_departure_ms))
                        .or_default()
                        .push(seats);
                }
            }
            _ => {}
        }
    }
    let shared = sold.values().filter(|bookings| bookings.len() > 1).count();
    assert!(shared * 5 > sold.len(), "{shared} of {}", sold.len());
    let overbooked = sold.iter().filter(|((route, _), bookings)| {
        let seats: u32 = bookings.iter().map(|seats| u32::from(*seats)).sum();
        seats_total
            .get(route)
            .is_some_and(|total| seats > u32::from(*total))
    });
    assert_eq!(overbooked.count(), 0);
}

#[test]
fn fares_have_a_long_tail_and_some_are_paid_in_dollars() {
    let mut fares = Vec::new();
    let mut dollars = 0;
    for Occurrence { event, .. } in orderly(8, 4_000) {
        match event.fact {
            Fact::Booking(fact) => {
                if let BookingStep::Created {
                    total_price_kobo, ..
                } = fact.step
                {
                    fares.push(total_price_kobo);
                }
            }
            Fact::Payment(fact) => dollars += usize::from(fact.currency == "USD"),
            _ => {}
        }
    }
    fares.sort_unstable();
    let (median, top) = (fares[fares.len() / 2], fares[fares.len() * 99 / 100]);
    assert!(fares[0] > 0 && top > 5 * median, "{median} {top}");
    assert!(fares.iter().any(|fare| fare % 100 != 0));
    assert!(dollars > 50, "{dollars}");
}

#[test]
fn late_rides_happened_earlier_and_within_the_story() {
    let disorder = Disorder {
        late: 0.2,
        ..Disorder::NONE
    };
    let mut late = 0;
    for Occurrence { arrival_ms, event } in Simulation::new(&Config {
        disorder,
        ..config(9, 1_000)
    }) {
        if matches!(event.fact, Fact::Booking(_)) && event.at_ms < arrival_ms {
            late += 1;
            assert!(event.at_ms >= START_MS);
        }
    }
    assert!(late > 300, "{late}");
}

#[test]
fn pings_before_their_time_are_not_told() {
    let pings_since_ms = END_MS - 24 * 3_600_000;
    let all = Simulation::new(&Config {
        pings_since_ms,
        ..config(10, 2_000)
    });
    let pings: Vec<i64> = all
        .filter(|occurrence| matches!(occurrence.event.fact, Fact::Location(_)))
        .map(|occurrence| occurrence.event.at_ms)
        .collect();
    assert!(pings.len() > 300 && pings.iter().all(|at_ms| *at_ms >= pings_since_ms));
}

#[test]
fn founders_of_the_time_before_are_told_at_the_beginning() {
    let live = Config {
        founding: Founding::Before,
        tempo: Tempo::ON_DEMAND,
        shape: Shape::Steady,
        ..config(11, 2_000)
    };
    let all: Vec<Occurrence> = Simulation::new(&live).collect();
    let early = all
        .iter()
        .filter(|occurrence| occurrence.event.at_ms < START_MS);
    let (founding, rest): (Vec<_>, Vec<_>) =
        early.partition(|occurrence| occurrence.arrival_ms == START_MS);
    assert!(
        founding.len() > 50
            && rest
                .iter()
                .all(|occurrence| occurrence.event.at_ms > START_MS - 86_400_000 * 20)
    );
    assert!(all.is_sorted_by_key(|occurrence| occurrence.arrival_ms));
}
