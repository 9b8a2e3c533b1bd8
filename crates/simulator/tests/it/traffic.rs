//! The records against the contract's own decoder.

use super::judge::Judge;
use super::story::{END_MS, config};
use shared_schema::{Domain, Event, OwnRegion, ReasonCode, Region};
use simulator::event::{BookingStep, Fact, RouteStep, UserStep};
use simulator::{Config, Emission, Expected, Mess, Simulation, Traffic};
use std::collections::{HashMap, HashSet};

fn traffic(config: &Config, mess: Mess) -> impl Iterator<Item = Emission> + use<> {
    Traffic::new(
        Simulation::new(config),
        config.seed,
        mess,
        Some(config.end_ms),
    )
}

/// Everything goes wrong often enough to be seen.
fn mess() -> Mess {
    Mess {
        duplicates: 0.1,
        malformed: 0.1,
        ..Mess::normal()
    }
}

#[test]
fn every_record_gets_the_verdict_that_it_was_made_for() {
    let mut judge = Judge::new(END_MS + 3_600_000, 1_000);
    for emission in traffic(&config(3, 1_500), mess()) {
        let text = String::from_utf8_lossy(&emission.record.value);
        let text: String = text.chars().take(700).collect();
        assert_eq!(judge.judge(&emission.record), emission.expected, "{text}");
    }
}

#[test]
fn every_reason_code_occurs_and_every_kind_of_event_is_accepted() {
    let mut reasons = HashMap::<ReasonCode, usize>::new();
    let mut types = HashSet::new();
    for emission in traffic(&config(3, 6_000), mess()) {
        if let Expected::DeadLetter(reason) = emission.expected {
            *reasons.entry(reason).or_default() += 1;
        }
        types.extend(emission.event.map(|event| event.fact.event_type()));
    }
    for reason in ReasonCode::ALL {
        assert!(reasons.contains_key(reason), "no {reason}: {reasons:?}");
    }
    assert_eq!(types.len(), 19, "{types:?}");
}

#[test]
fn only_accepted_records_tell_an_event_and_only_unrepeated_pings_are_spare() {
    let mut repeated = HashSet::new();
    let mut spare = Vec::new();
    for emission in traffic(&config(3, 1_500), mess()) {
        assert_eq!(
            emission.event.is_some(),
            emission.expected == Expected::Accepted
        );
        match emission.expected {
            Expected::Duplicate => _ = repeated.insert(emission.record.value.clone()),
            _ if emission.spare => {
                assert_eq!(emission.record.topic, Domain::Location);
                spare.push(emission.record.value);
            }
            _ => {}
        }
    }
    assert!(spare.len() > 1_000 && repeated.len() > 500);
    assert!(spare.iter().all(|value| !repeated.contains(value)));
}

#[test]
fn a_record_says_what_its_event_means() {
    let judge = Judge::new(END_MS, 0);
    for emission in traffic(&config(4, 1_500), Mess::NONE) {
        let event = emission.event.unwrap();
        let decoded = judge.decode(&emission.record).unwrap();
        assert_eq!(decoded.event_type.as_str(), event.fact.event_type());
        assert_eq!(decoded.timestamp_ms, event.at_ms);
        assert_eq!(decoded.entity_id, event.fact.entity());
        assert_eq!(
            emission.record.key,
            event.fact.entity().to_string().into_bytes()
        );
        if let Some(id) = event.id {
            assert_eq!(decoded.event_id, id);
        }
        if let Some(region) = region_of(&event.fact) {
            assert_eq!(decoded.event.own_region(), OwnRegion::Known(region));
        }
        if let Fact::Booking(fact) = &event.fact {
            let users: Vec<_> = decoded.event.users().map(|user| user.uuid()).collect();
            assert_eq!(users, [fact.rider, fact.driver]);
        }
        if let (Event::TripCompleted(trip), Fact::Trip(fact)) = (&decoded.event, &event.fact) {
            assert_eq!(
                (trip.trip_id.uuid(), trip.rider_id.uuid()),
                (fact.trip, fact.rider)
            );
        }
    }
}

/// Where the event itself says that it happened.
fn region_of(fact: &Fact) -> Option<Region> {
    match fact {
        Fact::User(user) => match &user.step {
            UserStep::Registered(registration) => Some(registration.region),
            UserStep::KycDecided { .. } | UserStep::Upgraded => None,
        },
        Fact::Booking(booking) => match booking.step {
            BookingStep::Created { pickup_region, .. } if pickup_region != Region::UNKNOWN => {
                Some(pickup_region)
            }
            _ => None,
        },
        Fact::Route(route) => match route.step {
            RouteStep::Created { origin, .. } => Some(origin),
            _ => None,
        },
        Fact::Location(ping) => Some(ping.region),
        Fact::Payment(_) | Fact::Trip(_) => None,
    }
}

#[test]
fn the_same_configuration_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| {
        let records = traffic(&config(seed, 400), mess());
        records
            .flat_map(|emission| emission.record.value)
            .collect::<Vec<u8>>()
    };
    let first = bytes(7);
    assert!(first == bytes(7));
    assert!(first != bytes(8));
}

#[test]
fn the_mess_takes_nothing_away_from_the_story() {
    let events = |mess| {
        traffic(&config(9, 400), mess)
            .filter_map(|emission| emission.event)
            .collect::<Vec<_>>()
    };
    assert!(events(Mess::NONE) == events(mess()));
}

#[test]
fn a_repetition_follows_its_original_within_the_window() {
    let mess = Mess {
        duplicates: 0.2,
        duplicate_within: 40,
        ..Mess::NONE
    };
    let mut first = HashMap::new();
    let mut repetitions = 0;
    for (place, emission) in traffic(&config(3, 500), mess).enumerate() {
        let Emission {
            record, expected, ..
        } = emission;
        if expected == Expected::Duplicate {
            let distance = place - first[&(record.key, record.value)];
            // Repetitions that fall on the same place queue up behind each other.
            assert!((1..=60).contains(&distance), "{distance}");
            repetitions += 1;
        } else {
            first.insert((record.key, record.value), place);
        }
    }
    assert!(repetitions > 500, "{repetitions}");
}
