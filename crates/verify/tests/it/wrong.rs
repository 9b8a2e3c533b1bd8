//! Whatever is tampered with is named.

use shared_schema::Domain;
use verify::{Outcome, Wrong};

use crate::platform::{Platform, traffic};

/// A change to each table, from the one that is checked last to the one that is checked first: each is then the
/// first thing that is wrong.
const TAMPERING: [(&str, &str); 24] = [
    (
        "trip_progress",
        "INSERT INTO trip_progress_state (scope, state, city, trip_id, started_at, seen_at)
         SELECT scope, state, city, trip_id, started_at + INTERVAL 1 SECOND, now() FROM trip_progress
         WHERE started_at > now() - INTERVAL 1 DAY ORDER BY trip_id LIMIT 1",
    ),
    (
        "agg_realtime",
        "INSERT INTO agg_realtime_state (scope, second, state, city, bookings_created)
         SELECT scope, second, state, city, 1 FROM agg_realtime WHERE second > now() - INTERVAL 1 DAY ORDER BY second LIMIT 1",
    ),
    (
        "duplicates",
        "ALTER TABLE duplicates UPDATE repeats_offset = repeats_offset + 1 WHERE (kafka_topic, kafka_partition, kafka_offset) =
            (SELECT min((kafka_topic, kafka_partition, kafka_offset)) FROM duplicates) SETTINGS mutations_sync = 2",
    ),
    (
        "user_days",
        "INSERT INTO user_days_state (scope, state, city, day, user_id, last_at)
         SELECT scope, state, city, day, user_id, max(last_at) + INTERVAL 1 MILLISECOND FROM user_days
         GROUP BY scope, state, city, day, user_id ORDER BY day LIMIT 1",
    ),
    (
        "user_days",
        "INSERT INTO user_days_state (scope, state, city, day, user_id, rode)
         SELECT scope, state, city, day, user_id, groupBitOr(slots) FROM user_days
         GROUP BY scope, state, city, day, user_id HAVING groupBitOr(rode) = 0 ORDER BY day LIMIT 1",
    ),
    (
        "user_days",
        "INSERT INTO user_days_state (scope, state, city, day, user_id, slots)
         SELECT scope, state, city, day, user_id, bitNot(slots) FROM user_days ORDER BY day LIMIT 1",
    ),
    (
        "route_profiles",
        "ALTER TABLE route_profiles_state DELETE WHERE route_id IN
            (SELECT route_id FROM route_events WHERE event_type = 'route.created' ORDER BY event_timestamp LIMIT 1) SETTINGS mutations_sync = 2",
    ),
    (
        "booking_seats",
        "INSERT INTO booking_seats_state (scope, route_id, booking_id, state, city, seats)
         SELECT scope, route_id, booking_id, state, city, 9 FROM booking_seats ORDER BY booking_id LIMIT 1",
    ),
    (
        "users",
        "INSERT INTO users_state (user_id, upgraded_at) SELECT user_id, toDateTime64('2020-01-01 00:00:00', 3, 'UTC') FROM users
         WHERE registered_at IS NOT NULL ORDER BY registered_at LIMIT 1",
    ),
    (
        "agg_popular_routes",
        "INSERT INTO agg_popular_routes_state (scope, slot, route_id, state, city, revenue)
         SELECT scope, slot, route_id, state, city, 0.01 FROM route_booking_slots WHERE scope = 'region' ORDER BY slot LIMIT 1",
    ),
    (
        "agg_driver_earnings",
        "INSERT INTO agg_driver_earnings_state (scope, slot, driver_id, state, city, distance_m)
         SELECT scope, slot, driver_id, state, city, 1 FROM driver_earning_slots ORDER BY slot LIMIT 1",
    ),
    (
        "agg_trips",
        "INSERT INTO agg_trips_state (scope, slot, state, city, driver_ids)
         SELECT scope, slot, state, city, [generateUUIDv4()] FROM agg_trips GROUP BY ALL ORDER BY slot LIMIT 1",
    ),
    (
        "agg_payments",
        "INSERT INTO agg_payments_state (scope, slot, state, city, payment_method, currency, processing_quantiles)
         SELECT scope, slot, state, city, payment_method, currency, quantilesExactInclusiveState(0.5, 0.95)(toUInt32(1))
         FROM agg_payments WHERE processing_count > 0 GROUP BY ALL ORDER BY slot LIMIT 1",
    ),
    (
        "agg_bookings",
        "ALTER TABLE agg_bookings_state DELETE WHERE scope = 'region' AND slot =
            (SELECT min(slot) FROM agg_bookings WHERE scope = 'region') SETTINGS mutations_sync = 2",
    ),
    (
        "agg_users",
        "INSERT INTO agg_users_state (scope, slot, registered) SELECT scope, slot, 1 FROM agg_users WHERE scope = 'total' ORDER BY slot LIMIT 1",
    ),
    (
        "settlements",
        "ALTER TABLE settlements UPDATE payment_method = 'cowries' WHERE payment_method != '' SETTINGS mutations_sync = 2",
    ),
    (
        "settlements",
        "ALTER TABLE settlements UPDATE state = if(state = 'Kano', 'Lagos', 'Kano') WHERE kafka_topic != '' SETTINGS mutations_sync = 2",
    ),
    ("regions of routes", "INSERT INTO settlements SELECT * FROM settlements WHERE endsWith(kafka_topic, '.route') LIMIT 1"),
    ("regions of trips", "INSERT INTO settlements SELECT * FROM settlements WHERE endsWith(kafka_topic, '.trip') LIMIT 1"),
    ("regions of payments", "INSERT INTO settlements SELECT * FROM settlements WHERE endsWith(kafka_topic, '.payment') LIMIT 1"),
    ("regions of bookings", "INSERT INTO settlements SELECT * FROM settlements WHERE endsWith(kafka_topic, '.booking') LIMIT 1"),
    ("regions of users", "INSERT INTO settlements SELECT * FROM settlements WHERE endsWith(kafka_topic, '.user') LIMIT 1"),
    (
        "region_sources",
        "ALTER TABLE region_sources DELETE WHERE kind = 'ride' AND id = (SELECT min(id) FROM region_sources WHERE kind = 'ride')
            SETTINGS mutations_sync = 2",
    ),
    (
        "typed events",
        "ALTER TABLE payment_events DELETE WHERE event_id = (SELECT min(event_id) FROM payment_events) SETTINGS mutations_sync = 2",
    ),
];

async fn wrong(platform: &Platform) -> Wrong {
    match platform.verified().await.0 {
        Outcome::Wrong(wrong) => wrong,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_tampered_with_is_named() {
    let emissions = traffic(32, 2, 400);
    let platform = Platform::with(&emissions).await;
    assert_eq!(platform.verified().await.0, Outcome::Right);

    for (table, change) in TAMPERING {
        platform.execute(change).await;
        let wrong = wrong(&platform).await;
        assert!(wrong.subject.starts_with(table), "{table}: {wrong}");
        assert!(
            !wrong.key.is_empty() && wrong.expected != wrong.found,
            "{wrong}"
        );
    }

    an_offset_without_a_verdict_is_named(&platform, "ASC").await;
}

/// Takes the row of the first accepted event of the first topic, or of the last one, and looks whether it is missed.
async fn an_offset_without_a_verdict_is_named(platform: &Platform, topics: &str) {
    let place = format!(
        "SELECT toString((kafka_topic, kafka_partition, kafka_offset)) FROM events_raw
         ORDER BY kafka_topic {topics}, kafka_partition, kafka_offset LIMIT 1"
    );
    let missing = platform.text(&place).await;
    platform
        .execute(&format!("ALTER TABLE events_raw DELETE WHERE toString((kafka_topic, kafka_partition, kafka_offset)) = '{}' SETTINGS mutations_sync = 2", missing.replace('\'', "\\'")))
        .await;
    let wrong_offset = wrong(platform).await;
    assert_eq!(wrong_offset.found, "an offset without a verdict");
    assert_eq!(wrong_offset.place, missing);

    // A gap over another offset makes the numbers even, and nothing right.
    let gap = format!(
        "INSERT INTO ingest_gaps (kafka_topic, kafka_partition, first_offset, last_offset, cause, decided_at)
         SELECT kafka_topic, kafka_partition, max(kafka_offset), max(kafka_offset), 'control', now()
         FROM events_raw WHERE kafka_topic = tupleElement({missing}, 1) AND kafka_partition = tupleElement({missing}, 2) GROUP BY ALL"
    );
    platform.execute(&gap).await;
    assert_eq!(wrong(platform).await, wrong_offset);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_offsets_hide_nothing_and_are_named_last() {
    let emissions = traffic(35, 2, 100);
    let platform = Platform::with(&emissions).await;
    platform.send(&emissions);
    let lost = platform.give_up_the_unread().await;
    assert!(lost > 0);

    let (outcome, reports) = platform.verified().await;
    let Outcome::Wrong(last) = outcome else {
        panic!("{outcome}")
    };
    assert_eq!(
        (last.subject.as_str(), last.found),
        (
            "offsets",
            format!("one of {lost} lost offsets; everything else was compared and agrees")
        )
    );
    assert_eq!(reports.len(), 22);

    let (table, change) = TAMPERING[0];
    platform.execute(change).await;
    let tampered = wrong(&platform).await;
    assert!(tampered.subject.starts_with(table), "{tampered}");

    // the lost ones are of the first topic
    an_offset_without_a_verdict_is_named(&platform, "DESC").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_with_two_verdicts_is_named() {
    let emissions = traffic(33, 2, 60);
    let platform = Platform::with(&emissions).await;

    platform.execute("INSERT INTO events_raw SELECT * FROM events_raw ORDER BY kafka_topic, kafka_partition, kafka_offset LIMIT 1").await;
    let wrong = wrong(&platform).await;
    assert_eq!(
        (wrong.subject.as_str(), wrong.found.as_str()),
        ("offsets", "an offset with two verdicts")
    );
}

/// Two positions of one partition have one identity.
const ACCEPTED_TWICE: &str = "
    CREATE TABLE twins ENGINE = Memory AS SELECT * FROM events_raw WHERE event_type = 'driver.location.updated'
        ORDER BY kafka_partition, kafka_offset LIMIT 2;
    CREATE TABLE typed_twins ENGINE = Memory AS SELECT * FROM location_events
        WHERE (kafka_partition, kafka_offset) IN (SELECT kafka_partition, kafka_offset FROM twins);
    ALTER TABLE events_raw DELETE WHERE event_id IN (SELECT event_id FROM twins) SETTINGS mutations_sync = 2;
    ALTER TABLE location_events DELETE WHERE event_id IN (SELECT event_id FROM twins) SETTINGS mutations_sync = 2;
    INSERT INTO events_raw SELECT * REPLACE ((SELECT min(event_id) FROM twins) AS event_id) FROM twins;
    INSERT INTO location_events SELECT * REPLACE ((SELECT min(event_id) FROM twins) AS event_id) FROM typed_twins";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_accepted_twice_is_named() {
    let emissions = traffic(36, 1, 60);
    let platform = Platform::with(&emissions).await;
    for statement in ACCEPTED_TWICE.split(';') {
        platform.execute(statement).await;
    }
    // Where repetitions were not looked for, there may be some.
    let window_of = |lanes: &str, window: u32| {
        format!(
            "ALTER TABLE ingest_ledger UPDATE dedup_window = {window} WHERE {lanes} SETTINGS mutations_sync = 2"
        )
    };
    let (theirs, others) = (
        "endsWith(kafka_topic, '.location')",
        "NOT endsWith(kafka_topic, '.location')",
    );
    platform.execute(&window_of(theirs, 0)).await;
    assert_eq!(platform.verified().await.0, Outcome::Right);
    platform.execute(&window_of(theirs, 20_000)).await;
    platform.execute(&window_of(others, 0)).await;
    let wrong = wrong(&platform).await;
    assert!(wrong.subject.starts_with("repetitions of"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_has_forgotten_is_named() {
    let emissions = traffic(37, 1, 60);
    let platform = Platform::with(&emissions).await;
    for back in [
        "UPDATE ingest_lane SET next_offset = next_offset - 1 WHERE next_offset > 3",
        "DELETE FROM ingest_lane",
    ] {
        platform.in_postgres(back).await;
        let wrong = wrong(&platform).await;
        assert!(
            wrong.subject == "offsets" && wrong.found.contains("PostgreSQL has gone back"),
            "{wrong}"
        );
    }
    platform.execute("TRUNCATE TABLE ingest_ledger").await;
    let (outcome, _) = platform.verified().await;
    assert!(matches!(outcome, Outcome::CannotSay(_)), "{outcome}");
}

/// As if all had been decided so long ago that the ledger alone tells of it.
const LONG_AGO: [&str; 3] = [
    "CREATE TABLE ledger_of_today ENGINE = Memory AS SELECT * FROM ingest_ledger",
    "TRUNCATE TABLE ingest_ledger",
    "INSERT INTO ingest_ledger SELECT * REPLACE (decided_at - INTERVAL 20 DAY AS decided_at) FROM ledger_of_today",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_events_are_all_gone_is_missed_by_its_aggregates() {
    let emissions = traffic(34, 4, 400);
    let platform = Platform::with(&emissions).await;
    for change in LONG_AGO {
        platform.execute(change).await;
    }
    let (outcome, reports) = platform.verified().await;
    assert_eq!(outcome, Outcome::Right, "{outcome}");
    let vouched = reports[0].vouched.unwrap().offsets;
    assert_eq!(vouched, u64::try_from(emissions.len()).unwrap());

    let day = platform
        .text("SELECT toString(toDate(now() - INTERVAL 3 DAY))")
        .await;
    let typed = Domain::ALL.map(Domain::events_table);
    for table in typed.into_iter().chain(["events_raw"]) {
        let change = format!(
            "ALTER TABLE {table} DELETE WHERE toDate(event_timestamp) = '{day}' SETTINGS mutations_sync = 2"
        );
        platform.execute(&change).await;
    }
    let missed_by = async |table: &str| {
        let missed = wrong(&platform).await;
        assert_eq!(missed.subject, format!("{table} of {day}"));
        assert_eq!(missed.expected, "");
    };
    missed_by("region_sources").await;
    let change = format!(
        "ALTER TABLE region_sources DELETE WHERE toDate(event_timestamp) = '{day}' SETTINGS mutations_sync = 2"
    );
    platform.execute(&change).await;
    missed_by("agg_users").await;

    // More than are looked at one by one.
    platform.execute("TRUNCATE TABLE location_events").await;
    let missed = wrong(&platform).await;
    assert!(missed.subject.starts_with("typed events"), "{missed}");
}
