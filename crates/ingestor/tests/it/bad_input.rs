//! Records that are no events, with real bytes through real Kafka.

use crate::{dead_letter_topic::published, platform::Platform};
use chrono::{Duration, Utc};
use event_store::{Params, Row};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde::Deserialize;
use serde_json::{Value, json};
use shared_schema::{Domain, ReasonCode};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A booking of this moment.
fn booking() -> Value {
    let now = Utc::now().to_rfc3339();
    let id = || Uuid::new_v4().to_string();
    json!({
        "event_id": id(), "event_type": "booking.created", "event_timestamp": now,
        "booking_id": id(), "rider_id": id(), "driver_id": id(), "route_id": id(),
        "seats_booked": 2, "total_price": "3000.00", "pickup_stop_id": id(), "dropoff_stop_id": id(),
        "pickup_lat": 6.6018, "pickup_lon": 3.3515, "dropoff_lat": 7.3775, "dropoff_lon": 3.947,
        "scheduled_departure": now,
    })
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// A booking with a field changed.
pub fn with(field: &str, value: impl Into<Value>) -> Vec<u8> {
    let mut booking = booking();
    booking[field] = value.into();
    bytes(&booking)
}

/// A booking with one piece of its text changed.
fn replaced(what: &str, by: &[u8]) -> Vec<u8> {
    let text = bytes(&booking());
    let at = text
        .windows(what.len())
        .position(|window| window == what.as_bytes())
        .unwrap();
    [&text[..at], by, &text[at + what.len()..]].concat()
}

fn without(field: &str) -> Vec<u8> {
    let mut booking = booking();
    booking.as_object_mut().unwrap().remove(field);
    bytes(&booking)
}

fn padded(size: usize) -> Vec<u8> {
    with("padding", "x".repeat(size))
}

/// What each reason's records look like; `id_reused` takes two.
fn spoilt() -> Vec<(ReasonCode, Vec<u8>)> {
    use ReasonCode as R;
    let ago = |days| (Utc::now() - Duration::days(days)).to_rfc3339();
    vec![
        (
            R::InvalidUtf8,
            replaced("booking.created", b"booking.\xff\xfe"),
        ),
        (R::InvalidUtf8, vec![0xc0, 0x80]),
        (R::InvalidJson, Vec::new()),
        (R::InvalidJson, b"{\"event_type\":".to_vec()),
        (
            R::InvalidJson,
            [bytes(&booking()), bytes(&booking())].concat(),
        ),
        (
            R::InvalidJson,
            [&b"\xef\xbb\xbf"[..], &bytes(&booking())].concat(),
        ),
        (R::InvalidJson, "[".repeat(100_000).into_bytes()),
        (
            R::InvalidJson,
            replaced("\"seats_booked\":2", b"\"seats_booked\":NaN"),
        ),
        (
            R::InvalidJson,
            replaced(
                "\"seats_booked\":2",
                b"\"seats_booked\":2,\"seats_booked\":3",
            ),
        ),
        (R::InvalidJson, replaced("booking.created", b"\\ud800")),
        (R::NotAnObject, b"[1,2]".to_vec()),
        (R::NotAnObject, b"null".to_vec()),
        (R::TooLarge, padded(2_000_000)),
        (R::TooLarge, padded(10_000_000)),
        (R::MissingField, without("booking_id")),
        (R::MissingField, b"{}".to_vec()),
        (R::WrongType, with("seats_booked", "2")),
        (R::WrongType, with("rider_id", Value::Null)),
        (R::OutOfRange, with("seats_booked", 9)),
        (R::OutOfRange, with("total_price", "-0.01")),
        (R::OutOfRange, with("pickup_lat", 90.5)),
        (
            R::OutOfRange,
            replaced(
                "\"seats_booked\":2",
                b"\"seats_booked\":18446744073709551616",
            ),
        ),
        (
            R::OutOfRange,
            with(
                "event_timestamp",
                (Utc::now() + Duration::days(2)).to_rfc3339(),
            ),
        ),
        (
            R::OutOfRange,
            with("event_timestamp", "1999-12-31T23:59:59Z"),
        ),
        (
            R::PatternMismatch,
            with("booking_id", "{7d0f0004-1b2c-4d3e-8f40-5a6b7c8d9e0f}"),
        ),
        (
            R::PatternMismatch,
            with("event_timestamp", "2026-02-30T08:00:00Z"),
        ),
        (
            R::UnknownEventType,
            with("event_type", "booking.teleported"),
        ),
        (R::UnknownEventType, with("event_type", "BOOKING.CREATED")),
        (R::WrongTopic, with("event_type", "payment.success")),
        (
            R::NaiveTimestamp,
            with("event_timestamp", "2026-11-02T08:03:07"),
        ),
        (R::UnsupportedSchemaVersion, with("schema_version", "2-0-0")),
        (R::TooOld, with("event_timestamp", ago(91))),
    ]
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct Letter {
    reason: String,
    kafka_offset: u64,
    payload: String,
}

async fn letters(platform: &Platform) -> BTreeMap<u64, (String, String)> {
    let sql = "SELECT reason, kafka_offset, hex(payload) AS payload FROM dead_letters ORDER BY kafka_offset";
    let letters: Vec<Letter> = platform.store.query(sql).fetch_all().await.unwrap();
    letters
        .into_iter()
        .map(|letter| (letter.kafka_offset, (letter.reason, letter.payload)))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_is_given_its_records_and_none_takes_its_neighbours_along() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let mut spoilt = spoilt();
    let first = booking();
    let mut other = first.clone();
    other["total_price"] = "1.00".into();
    platform.send_raw(&topic, b"key", &bytes(&first));
    spoilt.push((ReasonCode::IdReused, bytes(&other)));
    for (_, value) in &spoilt {
        platform.send_raw(&topic, b"key", value);
        platform.send_raw(&topic, b"key", &bytes(&booking()));
    }
    platform.flush();
    let member = platform.start();
    let sent = 1 + 2 * spoilt.len() as u64;
    platform.drained(sent).await;
    member.stop().await;

    let found = letters(&platform).await;
    for (index, (reason, value)) in spoilt.iter().enumerate() {
        let offset = 1 + 2 * index as u64;
        let shown = String::from_utf8_lossy(&value[..value.len().min(80)]);
        let (found, payload) = found
            .get(&offset)
            .unwrap_or_else(|| panic!("{reason:?} was accepted: {shown}"));
        assert_eq!(
            (found.as_str(), shown.as_ref()),
            (reason.as_str(), shown.as_ref())
        );
        assert!(*payload == hex(value), "other bytes are kept of {shown}");
    }
    assert_eq!(found.len(), spoilt.len());
    let reasons: std::collections::BTreeSet<_> = spoilt.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(
        reasons.len(),
        ReasonCode::ALL.len(),
        "a reason has no record here"
    );
    assert_eq!(
        platform.number("(SELECT count() FROM events_raw)").await,
        sent - spoilt.len() as u64
    );
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_published(&platform, &spoilt);
}

/// The topic has the same letters, by their offsets; what is too large for it is told as such.
fn assert_published(platform: &Platform, spoilt: &[(ReasonCode, Vec<u8>)]) {
    let mut published = published(platform);
    published.sort_by_key(|letter| letter.headers["source_offset"].parse::<u64>().unwrap());
    assert_eq!(published.len(), spoilt.len());
    for (letter, (reason, value)) in published.iter().zip(spoilt) {
        assert_eq!(letter.headers["reason"], reason.as_str());
        assert_eq!(
            letter.headers["source_topic"],
            platform.config.topics.booking
        );
        assert_eq!(letter.key, b"key");
        match letter.headers.get("truncated_from_bytes") {
            None => assert!(letter.value == *value),
            Some(size) => {
                assert!(*size == value.len().to_string() && value.starts_with(&letter.value))
            }
        }
    }
}

/// Sends odd records among bookings and expects that the bookings are stored and every record has a verdict.
async fn survives(platform: &Platform, odd: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
    let topic = &platform.config.topics.booking;
    let count = odd.len() as u64;
    for (key, value) in odd {
        platform.send_maybe(topic, &key, value.as_deref());
        platform.send_raw(topic, b"key", &bytes(&booking()));
    }
    platform.flush();
    let member = platform.start();
    platform.drained(2 * count).await;
    member.stop().await;
    let stored = platform.number("(SELECT count() FROM events_raw)").await;
    let dead = platform.number("(SELECT count() FROM dead_letters)").await;
    let repeated = platform.number("(SELECT count() FROM duplicates)").await;
    assert_eq!(stored + dead + repeated, 2 * count);
    assert!(stored >= count, "neighbours were lost");
    platform.assert_exact().await;
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_and_flipped_bytes_stop_nothing() {
    println!("seed 71");
    let mut chance = StdRng::seed_from_u64(71);
    let platform = Platform::new(1).await;
    let mut odd = Vec::new();
    for _ in 0..400 {
        let mut noise = vec![0; chance.random_range(0..3000)];
        chance.fill_bytes(&mut noise);
        odd.push((b"key".to_vec(), Some(noise)));
        let mut flipped = bytes(&booking());
        for _ in 0..chance.random_range(1..4) {
            let at = chance.random_range(0..flipped.len());
            flipped[at] ^= 1 << chance.random_range(0..8);
        }
        odd.push((b"key".to_vec(), Some(flipped)));
    }
    survives(&platform, odd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_and_huge_keys_stop_nothing() {
    let platform = Platform::new(1).await;
    let many_keys = (0..60_000)
        .map(|n| (format!("k{n}"), json!(n)))
        .collect::<serde_json::Map<_, _>>();
    let mut wide = booking();
    wide.as_object_mut().unwrap().extend(many_keys);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(120), "]".repeat(120));
    let odd = vec![
        (b"key".to_vec(), None),
        (Vec::new(), None),
        (Vec::new(), Some(Vec::new())),
        (vec![b'k'; 2_000_000], Some(b"no event".to_vec())),
        (vec![b'k'; 2_000_000], Some(bytes(&booking()))),
        (
            vec![0xff; 300],
            Some(with("event_type", "\u{0}\r\n\u{1b}[31m")),
        ),
        (b"key".to_vec(), Some(bytes(&wide))),
        (b"key".to_vec(), Some(deep.into_bytes())),
        (
            b"key".to_vec(),
            Some(replaced("3000.00", &b"9".repeat(900_000))),
        ),
        (
            b"key".to_vec(),
            Some(with("event_type", "x".repeat(900_000))),
        ),
        (b"key".to_vec(), Some(with(&"f".repeat(900_000), 1))),
        (
            b"key".to_vec(),
            Some(replaced("\"seats_booked\":2", b"\"seats_booked\":1e400")),
        ),
    ];
    survives(&platform, odd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_known_to_the_next_owner() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let bookings: Vec<_> = (0..50).map(|_| booking()).collect();
    let send = |values: &[Value]| {
        values
            .iter()
            .for_each(|value| platform.send_raw(&topic, b"key", &bytes(value)))
    };
    send(&bookings);
    let first = platform.start();
    platform.drained(50).await;
    first.stop().await;
    send(&bookings);
    let mut reused = bookings[7].clone();
    reused["seats_booked"] = 3.into();
    send(&[reused]);
    platform.flush();
    let second = platform.start();
    platform.drained(101).await;
    second.stop().await;
    let repeats = "(SELECT countIf(kafka_offset = repeats_offset + 50) FROM duplicates)";
    assert_eq!(platform.number(repeats).await, 50);
    assert_eq!(
        platform.number("(SELECT count() FROM duplicates)").await,
        50
    );
    assert_eq!(
        platform.number("(SELECT count() FROM events_raw)").await,
        50
    );
    assert_eq!(
        platform.dead_letters().await,
        BTreeMap::from([("id_reused".to_owned(), 1)])
    );
    platform.assert_exact().await;
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_beyond_the_window_is_accepted_again_whoever_owns_the_lane() {
    let mut platform = Platform::new(1).await;
    platform.config.judge.dedup_window = 20;
    let topic = platform.config.topics.booking.clone();
    let repeated = bytes(&booking());
    platform.send_raw(&topic, b"key", &repeated);
    (0..19).for_each(|_| platform.send_raw(&topic, b"key", &bytes(&booking())));
    platform.send_raw(&topic, b"key", &repeated);
    platform.flush();
    let first = platform.start();
    platform.drained(21).await;
    first.stop().await;
    // offset 21 is out of reach of the accepted one, and a duplicate is nothing to be compared with
    platform.send_raw(&topic, b"key", &repeated);
    platform.flush();
    let second = platform.start();
    platform.drained(22).await;
    second.stop().await;
    let at = Params::new();
    let duplicates: Vec<u64> = platform
        .store
        .query("SELECT kafka_offset FROM duplicates")
        .params(&at)
        .fetch_all()
        .await
        .unwrap();
    assert_eq!(duplicates, [20]);
    assert_eq!(
        platform
            .number("(SELECT count() FROM events_raw WHERE kafka_offset = 21)")
            .await,
        1
    );
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_whose_clock_is_mad_stops_nothing() {
    let platform = Platform::new(1).await;
    let at = |days: i64| (Utc::now() - Duration::days(days)).to_rfc3339();
    let mut sent = 0;
    for days in (-3000..=20_000).step_by(37) {
        platform.send_raw(
            &platform.config.topics.booking,
            b"key",
            &with("event_timestamp", at(days)),
        );
        sent += 1;
    }
    platform.flush();
    let member = platform.start();
    platform.drained(sent).await;
    member.stop().await;
    let accepted = (-3000..=20_000)
        .step_by(37)
        .filter(|days| (0..90).contains(days))
        .count() as u64;
    assert_eq!(
        platform.number("(SELECT count() FROM events_raw)").await,
        accepted
    );
    assert_eq!(
        platform
            .number(&format!("(SELECT count() FROM {}_events)", Domain::Booking))
            .await,
        accepted
    );
    platform.assert_exact().await;
    platform.assert_balanced().await;
}
