//! The books: what is stored is counted, and what is missing is seen.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use query_api::Config;
use serde_json::{Value, json};
use service_runtime::clock::{Clock, SystemClock};

use crate::{
    api::{Api, databases, postgres},
    books::{TOPIC, gap, range, store},
    story::{object, write},
};

/// Whole seconds, close to the real time: rows that are too old expire.
fn now() -> DateTime<Utc> {
    SystemClock.now().trunc_subsecs(0)
}

/// An API over one lane, whose every offset up to an end Kafka has, and which is durable up to the next.
async fn with_lane(end: i64, next: i64, now: DateTime<Utc>) -> (Config, Api) {
    let config = databases().await;
    let api = Api::over(&config, now);
    api.lane(TOPIC, 0, end, now).await;
    let sql = format!("UPDATE ingest_lane SET next_offset = {next}");
    postgres(&config, &sql).await;
    (config, api)
}

async fn partition(api: &Api) -> Value {
    let ledger = api.json("/v1/pipeline/ledger").await;
    assert_eq!(ledger["partitions"].as_array().unwrap().len(), 1);
    assert_eq!(ledger["balanced"], ledger["partitions"][0]["balanced"]);
    ledger["partitions"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_counts_stored_rows() {
    let now = now();
    let (_, api) = with_lane(130, 120, now).await;
    let old = now - TimeDelta::days(20);
    range(&api, 0, 19, 20, old).await;
    range(&api, 20, 119, 90, now).await;
    store(&api, "events_raw", 20..110, now).await;
    store(&api, "duplicates", 110..114, now).await;
    store(&api, "dead_letters", 114..117, now).await;
    gap(&api, 117, 118, "control", now).await;

    let before = partition(&api).await;
    assert_eq!(
        (&before["missing"], &before["balanced"]),
        (&json!(1), &json!(false))
    );

    gap(&api, 119, 119, "compacted", now).await;
    // Of an open batch: beyond the next offset, so they do not count.
    store(&api, "events_raw", 120..130, now).await;
    let after = partition(&api).await;
    assert_eq!(after["balanced"], true, "{after}");
    assert_eq!(
        (
            &after["accepted"],
            &after["duplicate"],
            &after["dead_lettered"],
            &after["recounted_from"]
        ),
        (&json!(110), &json!(4), &json!(3), &json!(20))
    );
    assert_eq!(after["gap_offsets"], json!({"control": 2, "compacted": 1}));
    assert_eq!(
        after["gaps"][0],
        json!({"first_offset": 119, "last_offset": 119, "cause": "compacted"})
    );
    assert_eq!(after["end_offset"], 130);
    assert_eq!(after["forgotten"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ledger_has_beyond_what_postgres_knows_unbalances() {
    let now = now();
    let (config, api) = with_lane(10, 10, now).await;
    range(&api, 0, 9, 10, now).await;
    store(&api, "events_raw", 0..10, now).await;
    assert_eq!(partition(&api).await["balanced"], true);

    postgres(&config, "UPDATE ingest_lane SET next_offset = 7").await;
    let gone_back = partition(&api).await;
    assert_eq!(
        (&gone_back["missing"], &gone_back["forgotten"]),
        (&json!(0), &json!(3))
    );
    assert_eq!(gone_back["balanced"], false);

    let stopped = "UPDATE ingest_lane SET stopped_reason = 'an operator has to decide'";
    postgres(&config, stopped).await;
    let stopped = partition(&api).await;
    assert_eq!(
        (&stopped["forgotten"], &stopped["balanced"]),
        (&json!(0), &json!(true))
    );

    postgres(&config, "DELETE FROM ingest_lane").await;
    let unknown = partition(&api).await;
    assert_eq!(
        (
            &unknown["topic"],
            &unknown["forgotten"],
            &unknown["balanced"]
        ),
        (&json!(TOPIC), &json!(10), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_twice_and_a_lost_record_unbalance() {
    let now = now();
    let (_, api) = with_lane(10, 10, now).await;
    range(&api, 0, 9, 10, now).await;
    store(&api, "events_raw", (0..9).chain([3]), now).await;
    let twice = partition(&api).await;
    assert_eq!(
        (&twice["missing"], &twice["repeated"], &twice["balanced"]),
        (&json!(0), &json!(1), &json!(false))
    );

    api.execute("TRUNCATE TABLE events_raw").await;
    store(&api, "events_raw", 0..9, now).await;
    gap(&api, 9, 9, "lost", now).await;
    let lost = partition(&api).await;
    assert_eq!(
        (&lost["missing"], &lost["repeated"], &lost["balanced"]),
        (&json!(0), &json!(0), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_reads_few_of_the_rows_that_it_counts() {
    const STORED: u64 = 400_000;
    let now = now();
    let (_, api) = with_lane(400_000, 400_000, now).await;
    range(&api, 0, STORED - 1, STORED, now).await;
    api.execute(&format!(
        "INSERT INTO events_raw (event_type, event_timestamp, kafka_topic, kafka_offset, decided_at) \
         SELECT 'booking.created', now64(3), '{TOPIC}', number, now64(3) FROM numbers({STORED})"
    ))
    .await;
    let lane = partition(&api).await;
    assert_eq!(
        (&lane["accepted"], &lane["balanced"]),
        (&json!(STORED), &json!(true))
    );

    api.execute("SYSTEM FLUSH LOGS").await;
    let read: u64 = api
        .store
        .query(
            "SELECT sum(read_rows) FROM system.query_log WHERE type = 'QueryFinish' \
             AND startsWith(log_comment, 'ledger: ') AND has(databases, currentDatabase())",
        )
        .fetch_one()
        .await
        .unwrap();
    assert!(read > 50_000 && read < STORED / 4, "{read} rows were read");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_partitions_the_ledger_is_empty() {
    let api = Api::start(now()).await;
    assert_eq!(
        api.json("/v1/pipeline/ledger").await,
        json!({"partitions": [], "balanced": true})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_read_page_by_page_without_their_bytes() {
    let now = now();
    let api = Api::start(now).await;
    for minutes in 0..5 {
        let decided_at = now - TimeDelta::minutes(minutes);
        let first = u64::try_from(minutes).unwrap() * 10;
        store(&api, "dead_letters", first..first + 5, decided_at).await;
    }
    let (mut offsets, mut cursor) = (Vec::new(), String::new());
    loop {
        let path =
            format!("/v1/pipeline/dead-letters?limit=7&reason=missing_field&topic={TOPIC}{cursor}");
        let answer = api.get(&path).await;
        assert!(!answer.text.contains("+234"), "{}", answer.text);
        let page = answer.json();
        let letters = page["dead_letters"].as_array().unwrap().clone();
        offsets.extend(
            letters
                .iter()
                .map(|letter| letter["offset"].as_u64().unwrap()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<u64> = (0..5)
        .flat_map(|minute| (0..5).rev().map(move |place| minute * 10 + place))
        .collect();
    assert_eq!(offsets, expected);

    let none = api.json("/v1/pipeline/dead-letters?reason=too_old").await;
    assert_eq!(none["dead_letters"], json!([]));
    assert_eq!(none["next_cursor"], json!(null));
    let letter = &api.json("/v1/pipeline/dead-letters?limit=1").await["dead_letters"][0];
    assert_eq!(
        (&letter["path"], &letter["bytes"]),
        (&json!("$.total_price"), &json!(14))
    );
    let shown = api
        .json("/v1/pipeline/dead-letters?include_bytes=true")
        .await;
    let letters = shown["dead_letters"].as_array().unwrap();
    assert_eq!(letters.len(), 10);
    for letter in letters {
        // by another program than that which wrote it
        let text: String = api
            .store
            .query("SELECT base64Decode({text:String})")
            .param("text", letter["value"].as_str().unwrap())
            .fetch_one()
            .await
            .unwrap();
        assert!(text.contains("+234"), "{text}");
        assert_eq!(letter["bytes"], text.len());
        assert!(letter["key"].is_string());
    }
    for (query, status, code) in [
        ("include_bytes=true&limit=11", 422, "parameter_out_of_range"),
        ("include_bytes=1", 400, "unreadable_parameter"),
        ("reason=bad_luck", 422, "unknown_reason"),
        ("topic=booking", 422, "unknown_topic"),
        ("cursor=x", 400, "unreadable_parameter"),
        (
            "cursor=99999999999999999.0.0.x",
            400,
            "unreadable_parameter",
        ),
        ("limit=1001", 422, "parameter_out_of_range"),
        ("state=Lagos", 400, "unknown_parameter"),
    ] {
        let answer = api.get(&format!("/v1/pipeline/dead-letters?{query}")).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_without_dead_letters_is_told_apart_from_one_that_nobody_knows() {
    let now = now();
    let api = Api::start(now).await;
    let of = |topic: &str| format!("/v1/pipeline/dead-letters?topic={topic}");
    let hint = |answer: &Value| answer["hint"].as_str().unwrap().to_owned();
    let unknown = api.get(&of(TOPIC)).await.json();
    assert_eq!(hint(&unknown), "No topic has been read yet.");

    api.lane(TOPIC, 0, 0, now).await;
    let letter = object(json!({"kafka_topic": "given.up", "decided_at": now.to_rfc3339()}));
    write(&api, "dead_letters", [letter]).await;
    for (topic, letters) in [(TOPIC, 0), ("given.up", 1)] {
        let page = api.json(&of(topic)).await;
        assert_eq!(page["dead_letters"].as_array().unwrap().len(), letters);
    }
    let without = format!("{}&reason=too_old", of("given.up"));
    assert_eq!(api.json(&without).await["dead_letters"], json!([]));
    let unknown = api.get(&of("openride.events.bookings")).await.json();
    assert_eq!(unknown["code"], "unknown_topic");
    assert_eq!(hint(&unknown), format!("Allowed are given.up, {TOPIC}."));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_has_room_for_hundreds_of_partitions() {
    let (config, now) = (databases().await, now());
    let api = Api::over(&config, now);
    api.lane(TOPIC, 0, 10, now).await;
    // They come before the topic in the order of the answer.
    postgres(
        &config,
        "UPDATE ingest_lane SET next_offset = 10;
         INSERT INTO ingest_lane (topic, partition, first_offset, next_offset)
         SELECT 'openride.events.' || name, number, 7, 7
         FROM unnest(ARRAY['a', 'b']) AS name, generate_series(0, 349) AS number",
    )
    .await;
    range(&api, 0, 9, 10, now).await;
    store(&api, "events_raw", 0..9, now).await;
    store(&api, "dead_letters", 9..10, now).await;

    let ledger = api.json("/v1/pipeline/ledger").await;
    let partitions = ledger["partitions"].as_array().unwrap();
    assert_eq!((partitions.len(), &ledger["balanced"]), (701, &json!(true)));
    let last = &partitions[700];
    assert_eq!(
        (&last["topic"], &last["accepted"], &last["dead_lettered"]),
        (&json!(TOPIC), &json!(9), &json!(1))
    );
}
