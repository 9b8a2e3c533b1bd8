use crate::platform::Platform;
use chrono::Utc;
use simulator::{Config, Emission, Expected, Mess, Simulation, Traffic};
use std::collections::BTreeMap;

fn traffic(seed: u64, rides: u64) -> Vec<Emission> {
    let now = Utc::now().timestamp_millis();
    let day = 24 * 3600 * 1000;
    let config = Config::new(seed, now - 25 * day, now - day / 24, rides);
    Traffic::new(Simulation::new(&config), seed, Mess::normal(), Some(now)).collect()
}

fn reasons(emissions: &[Emission]) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for emission in emissions {
        if let Expected::DeadLetter(reason) = emission.expected {
            *reasons.entry(reason.as_str().to_owned()).or_default() += 1;
        }
    }
    reasons
}

fn count(emissions: &[Emission], expected: Expected) -> u64 {
    emissions.iter().filter(|emission| emission.expected == expected).count() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_gets_its_verdict_and_every_event_is_stored_once() {
    let platform = Platform::new(3).await;
    let emissions = traffic(1, 300);
    platform.send(emissions.iter().map(|emission| &emission.record));
    let member = platform.start();
    platform.drained(emissions.len() as u64).await;
    member.stop().await;

    assert_eq!(platform.dead_letters().await, reasons(&emissions));
    assert_eq!(platform.number("(SELECT count() FROM duplicates)").await, count(&emissions, Expected::Duplicate));
    assert_eq!(platform.number("(SELECT count() FROM events_raw)").await, count(&emissions, Expected::Accepted));
    platform.assert_exact().await;
    platform.assert_balanced().await;
}
