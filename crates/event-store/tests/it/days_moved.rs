//! The step to riding days and last moments gives stored days what their events say, as if they had been written after it.

use event_store::{
    Store,
    migrations::{Rendering, apply, apply_steps, embedded},
};

use crate::support::{config, execute, forget_step, steps_until};

const STEP: u32 = 19;

/// Events with a region of their own, some whose region was settled since, and some that wait for it; the hours of two
/// days, cancellations among them.
const EVENTS: [&str; 4] = [
    "INSERT INTO in_booking (event_id, event_type, event_timestamp, decided_at, phase, booking_id, rider_id, driver_id, region_settled,
        state, city, kafka_topic, kafka_offset)
     SELECT reinterpretAsUUID(number), ['booking.created', 'booking.cancelled', 'booking.completed'][number % 3 + 1],
        toDateTime64('2026-11-01 00:00:00', 3, 'UTC') + number * 907, now64(3), 'ingest', reinterpretAsUUID(number), reinterpretAsUUID(number % 5),
        reinterpretAsUUID(number % 3), number % 4 = 0 AS settled, if(settled, 'Kano', ''), if(settled, 'Kano', ''), 'bookings', number
     FROM numbers(190)",
    "INSERT INTO in_trip (event_id, event_type, event_timestamp, decided_at, phase, trip_id, rider_id, driver_id, region_settled, kafka_topic,
        kafka_offset)
     SELECT reinterpretAsUUID(number), ['trip.started', 'trip.cancelled'][number % 2 + 1],
        toDateTime64('2026-11-01 00:00:00', 3, 'UTC') + number * 1711, now64(3), 'ingest', reinterpretAsUUID(number), reinterpretAsUUID(number % 7),
        reinterpretAsUUID(number % 3), false, 'trips', number
     FROM numbers(90)",
    "INSERT INTO in_location (event_id, event_type, event_timestamp, decided_at, phase, driver_id, region_settled, state, city, kafka_topic,
        kafka_offset)
     SELECT reinterpretAsUUID(number), 'driver.location.updated', toDateTime64('2026-11-01 00:00:00.123', 3, 'UTC') + number * 333, now64(3), 'ingest',
        reinterpretAsUUID(number % 3), true, 'Lagos', 'Ikeja', 'locations', number
     FROM numbers(400)",
    "INSERT INTO settlements (batch, kafka_topic, kafka_partition, kafka_offset, state, city, settled_at)
     SELECT generateUUIDv4(), 'bookings', 0, number, 'Lagos', 'Ikeja', now64(3) FROM numbers(190) WHERE number % 4 IN (1, 2)",
];
/// What settling wrote of it.
const SETTLED: &str = "INSERT INTO in_booking (event_id, event_type, event_timestamp, decided_at, phase, booking_id, rider_id, driver_id, region_settled,
        state, city, kafka_topic, kafka_offset)
     SELECT event_id, event_type, event_timestamp, decided_at, 'settle', booking_id, rider_id, driver_id, true, 'Lagos', 'Ikeja', kafka_topic, kafka_offset
     FROM booking_events WHERE kafka_offset % 4 IN (1, 2)";
/// As the update does that follows.
const UPDATED: &str = "ALTER TABLE booking_events UPDATE state = 'Lagos', city = 'Ikeja', region_settled = true WHERE kafka_offset % 4 = 1
     SETTINGS mutations_sync = 2";

async fn write(store: &Store) {
    for insert in EVENTS.into_iter().chain([SETTLED, UPDATED]) {
        execute(store, insert).await;
    }
}

async fn seen(store: &Store) -> Vec<String> {
    let days = "SELECT toString((scope, state, city, day, user_id, groupBitOr(slots), groupBitOr(rode), max(last_at))) AS row
        FROM user_days GROUP BY scope, state, city, day, user_id ORDER BY row";
    store.query(days).fetch_all().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_days_know_who_rode_and_when_somebody_was_seen_last() {
    let after = Store::connect(&config()).unwrap();
    apply(&after, &Rendering::single(after.database()))
        .await
        .unwrap();
    write(&after).await;
    let expected = seen(&after).await;
    assert!(expected.len() >= 30, "{expected:#?}");

    let store = Store::connect(&config()).unwrap();
    let rendering = Rendering::single(store.database());
    apply_steps(&store, &rendering, &steps_until(STEP - 1))
        .await
        .unwrap();
    write(&store).await;
    let steps = embedded().unwrap();
    let step = steps.iter().find(|known| known.version == STEP).unwrap();
    for cut_short in [1, 7, 9, step.statements.len()] {
        for statement in &step.statements[..cut_short] {
            let sql = statement.template.replace("{{database}}", store.database());
            execute(&store, &sql.replace("{{local}}", "")).await;
        }
    }
    for _ in 0..2 {
        apply_steps(&store, &rendering, &steps_until(STEP))
            .await
            .unwrap();
        assert_eq!(seen(&store).await, expected);
        forget_step(&store, STEP).await;
    }
}
