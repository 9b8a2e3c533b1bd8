//! Counted trips become rides, every one of them.

use chrono::{DateTime, Datelike, Timelike};
use shared_schema::Region;
use simulator::Occurrence;
use simulator::event::{BookingStep, Fact, TripStep};
use simulator::replay::{
    Cell, PUBLISHED_TRIPS, Replay, ReplayError, TripTable, find_trips, read_trips,
};
use std::collections::HashMap;
use std::io::Write as _;

/// Monday 2024-03-04, midnight in Lagos.
const MONDAY_MS: i64 = 1_709_506_800_000;

fn table() -> TripTable {
    let mut cells = Vec::new();
    for day in 0..5 {
        for (slot, trips) in [(0, 7), (33, 90), (34, 41), (95, 12)] {
            for (from, to) in [(4, 4), (4, 13), (13, 4), (261, 13)] {
                cells.push(Cell {
                    day,
                    slot,
                    from,
                    to,
                    trips: trips + u32::from(from % 5),
                });
            }
        }
    }
    TripTable::new(cells)
}

fn bookings(story: &[Occurrence]) -> Vec<(i64, Region)> {
    let created = story
        .iter()
        .filter_map(|occurrence| match &occurrence.event.fact {
            Fact::Booking(booking) => match booking.step {
                BookingStep::Created { pickup_region, .. } => {
                    Some((occurrence.event.at_ms, pickup_region))
                }
                _ => None,
            },
            _ => None,
        });
    created.collect()
}

#[test]
fn every_scaled_trip_is_booked_in_its_quarter_of_an_hour_and_completed() {
    let table = table();
    let replay = Replay::new(1, &table, 3, MONDAY_MS);
    let expected = replay.trips();
    assert_eq!(expected, (table.trips() * 2 + 3) / 6);
    let story: Vec<Occurrence> = replay.collect();
    assert!(story.is_sorted_by_key(|occurrence| occurrence.arrival_ms));
    let completed = |occurrence: &&Occurrence| matches!(&occurrence.event.fact, Fact::Trip(trip) if matches!(trip.step, TripStep::Completed { .. }));
    assert_eq!(story.iter().filter(completed).count() as u64, expected);

    let mut by_slot = HashMap::<(u32, u32), u32>::new();
    for (at_ms, _) in bookings(&story) {
        let clock = DateTime::from_timestamp_millis(at_ms + 3_600_000).unwrap();
        let slot = clock.hour() * 4 + clock.minute() / 15;
        *by_slot
            .entry((clock.weekday().num_days_from_monday(), slot))
            .or_default() += 1;
    }
    for day in 0..5 {
        for slot in [0, 33, 34, 95] {
            let cells = table.cells().iter();
            let exact: u32 = cells
                .filter(|cell| (u32::from(cell.day), u32::from(cell.slot)) == (day, slot))
                .map(|cell| cell.trips)
                .sum();
            let told = by_slot.remove(&(day, slot)).unwrap();
            assert!(
                told.abs_diff(exact / 3) <= 1,
                "day {day} slot {slot}: {told} of {exact}"
            );
        }
    }
    assert!(by_slot.is_empty(), "{by_slot:?}");
}

#[test]
fn at_a_scale_of_one_each_town_has_exactly_the_pick_ups_of_its_zone() {
    let story: Vec<Occurrence> = Replay::new(1, &table(), 1, MONDAY_MS).collect();
    let mut by_town = HashMap::<Region, u32>::new();
    for (_, region) in bookings(&story) {
        *by_town.entry(region).or_default() += 1;
    }
    let mut found: Vec<u32> = by_town.into_values().collect();
    found.sort_unstable();
    // a day's slots hold 7, 90, 41 and 12 trips, and 4, 3 or 1 more for zones 4, 13 and 261
    assert_eq!(
        found,
        [5 * (150 + 4), 5 * (150 + 4 * 3), 2 * 5 * (150 + 4 * 4)]
    );
}

#[test]
fn the_same_table_gives_the_same_story() {
    let story = || Replay::new(5, &table(), 2, MONDAY_MS).collect::<Vec<_>>();
    assert!(story() == story());
    assert!(story() != Replay::new(6, &table(), 2, MONDAY_MS).collect::<Vec<_>>());
}

#[test]
fn an_archive_without_the_table_is_refused_by_name() {
    let mut file = tempfile::Builder::new().suffix(".whl").tempfile().unwrap();
    file.write_all(b"not a zip").unwrap();
    let error = read_trips(file.path()).unwrap_err();
    assert!(matches!(error, ReplayError::Archive { .. }), "{error}");
    assert!(error.to_string().contains("trips.csv"), "{error}");
}

#[test]
#[ignore = "needs Python's package index, or its download in the cache"]
fn the_published_trips_sum_exactly_at_every_scale() {
    let home = std::env::home_dir().unwrap();
    let table = read_trips(&find_trips(&home.join(".cache/openride-simulator")).unwrap()).unwrap();
    table.check_published().unwrap();
    for (scale, trips) in [(1, PUBLISHED_TRIPS), (1_000, 110_933), (5_000, 22_187)] {
        assert_eq!(Replay::new(1, &table, scale, MONDAY_MS).trips(), trips);
    }
    let completed = Replay::new(1, &table, 5_000, MONDAY_MS)
        .filter(|occurrence| occurrence.event.fact.event_type() == "trip.completed");
    assert_eq!(completed.count(), 22_187);
}
