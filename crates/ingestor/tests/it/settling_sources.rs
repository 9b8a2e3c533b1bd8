//! What facts wait for, and what they take when it never comes.

use crate::{
    own,
    platform::{Platform, until},
    settling::{assert_regions_add_up, settled},
};
use chrono::{TimeDelta, Utc};
use devstack::Server;
use event_store::Params;
use serde_json::{Value, json};
use service_runtime::config::HumanDuration;
use shared_schema::EventType;
use std::collections::BTreeMap;
use uuid::Uuid;

/// An event like the sample of its type, of this moment. All samples tell of one ride from Ikeja, and of its route
/// and its rider.
fn sample(event_type: &str, changes: Value) -> Value {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared-schema/fixtures");
    let text = std::fs::read(format!("{samples}/{event_type}.json")).unwrap();
    let mut event: Value = serde_json::from_slice(&text).unwrap();
    event["event_id"] = json!(Uuid::new_v4());
    event["event_timestamp"] = json!(Utc::now());
    let Value::Object(changes) = changes else {
        panic!("{changes} changes nothing")
    };
    event.as_object_mut().unwrap().extend(changes);
    event
}

/// Sends an event to its domain's topic.
fn send(platform: &Platform, event: &Value) {
    let event_type = EventType::parse(event["event_type"].as_str().unwrap()).unwrap();
    let topic = platform.config.topics.topic_of(event_type.domain());
    platform.send_raw(topic, b"key", &serde_json::to_vec(event).unwrap());
    platform.flush();
}

async fn rows(platform: &Platform, sql: &str) -> Vec<String> {
    platform.store.query(sql).fetch_all().await.unwrap()
}

/// Counts by place and method, of the regions.
async fn regional(platform: &Platform, count: &str, aggregate: &str) -> Vec<String> {
    let method = if aggregate == "agg_payments" {
        "payment_method"
    } else {
        "''"
    };
    let sql = format!(
        "SELECT concat(state, '/', city, ' ', {method}, ' ', toString(sum({count}))) AS row FROM {aggregate} \
         WHERE scope = 'region' GROUP BY state, city, {method} HAVING sum({count}) > 0 ORDER BY row"
    );
    rows(platform, &sql).await
}

/// The topic of refunds alone, as it is with producers that have one for each type.
const REFUNDS: &str = "payment.refunded";

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_read_before_its_payment_waits_for_the_method() {
    // a topic of this name cannot be had twice
    let (mut platform, _kafka) = own::platform(Server::Kafka, 1).await;
    platform.config.topics.legacy_topics = vec![REFUNDS.to_owned()];
    platform.config.topics.moved_event_types = vec![REFUNDS.to_owned()];
    ingestor::topics::create(&platform.config).await.unwrap();
    platform.config.settle.patience = HumanDuration::secs(3600);
    let member = platform.start();
    let refund = |changes| {
        let refund = serde_json::to_vec(&sample(REFUNDS, changes)).unwrap();
        platform.send_raw(REFUNDS, b"key", &refund);
        platform.flush();
    };
    send(&platform, &sample("booking.created", json!({})));
    refund(json!({}));
    platform.drained(2).await;
    // another payment of the ride, read after the refund: it says its method, and has nothing to wait for
    let failed = sample("payment.failed", json!({"payment_id": Uuid::new_v4()}));
    send(&platform, &failed);
    let failed = "(SELECT count() FROM payment_events WHERE event_type = 'payment.failed' AND region_settled)";
    assert!(until(async || platform.number(failed).await == 1).await);
    let waiting = "SELECT toString(event_type) FROM waiting_payment";
    assert!(until(async || rows(&platform, waiting).await == [REFUNDS]).await);

    send(&platform, &sample("payment.success", json!({})));
    settled(&platform).await;
    let refunded = regional(&platform, "refunded", "agg_payments").await;
    assert_eq!(refunded, ["Lagos/Ikeja card 1"]);

    // the patience ends, also for a refund whose payment never comes
    refund(json!({"payment_id": Uuid::new_v4()}));
    platform.drained(5).await;
    member.stop().await;
    platform.config.settle.patience = HumanDuration::millis(500);
    let member = platform.start();
    settled(&platform).await;
    member.stop().await;
    let refunded = regional(&platform, "refunded", "agg_payments").await;
    assert_eq!(refunded, ["Lagos/Ikeja  1", "Lagos/Ikeja card 1"]);
    assert_regions_add_up(&platform).await;
}

/// The events of a ride from its payment on. Whatever the payment waits for is sent after it.
fn ride_without_creation(booking: Uuid, confirmed: &Value, started: &Value) -> Vec<Value> {
    let payment = json!({"booking_id": booking, "payment_id": Uuid::new_v4()});
    vec![
        sample("payment.initiated", payment.clone()),
        sample("payment.success", payment.clone()),
        sample("payment.refunded", payment),
        sample("booking.confirmed", with_booking(confirmed, booking)),
        sample("trip.started", with_booking(started, booking)),
        sample("trip.completed", with_booking(started, booking)),
    ]
}

fn with_booking(changes: &Value, booking: Uuid) -> Value {
    let mut changes = changes.clone();
    changes["booking_id"] = json!(booking);
    changes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ride_whose_creation_was_refused_lies_where_its_route_begins() {
    let platform = Platform::new(1).await;
    let refused = Uuid::new_v4();
    send(
        &platform,
        &sample(
            "booking.created",
            json!({"booking_id": refused, "seats_booked": 9}),
        ),
    );
    for event in ride_without_creation(refused, &json!({}), &json!({})) {
        send(&platform, &event);
    }
    // its events do not agree on the route: the one that happened first is right
    let (disputed, kano) = (Uuid::new_v4(), Uuid::new_v4());
    let later = json!({"route_id": kano});
    let earlier = json!({"event_timestamp": Utc::now() - TimeDelta::hours(1)});
    for event in ride_without_creation(disputed, &later, &earlier) {
        send(&platform, &event);
    }
    send(&platform, &sample("route.created", json!({})));
    let in_kano = json!({"route_id": kano, "origin_state": "Kano", "origin_city": "Kano"});
    send(&platform, &sample("route.created", in_kano));

    let member = platform.start();
    platform.drained(15).await;
    settled(&platform).await;
    member.stop().await;
    let seats = BTreeMap::from([("out_of_range".to_owned(), 1)]);
    assert_eq!(platform.dead_letters().await, seats);
    for (booking, table, expected) in [
        (refused, "booking_events", "Lagos/Ikeja 1"),
        (refused, "trip_events", "Lagos/Ikeja 2"),
        (refused, "payment_events", "Lagos/Ikeja 3"),
        (disputed, "payment_events", "Lagos/Ikeja 3"),
    ] {
        let sql = format!(
            "SELECT concat(state, '/', city, ' ', toString(count())) FROM {table} \
             WHERE booking_id = '{booking}' GROUP BY state, city"
        );
        assert_eq!(rows(&platform, &sql).await, [expected], "{table}");
    }
    let counts = async |count, aggregate| regional(&platform, count, aggregate).await;
    let bookings = ["Kano/Kano  1", "Lagos/Ikeja  1"];
    assert_eq!(counts("confirmed", "agg_bookings").await, bookings);
    assert_eq!(counts("completed", "agg_trips").await, ["Lagos/Ikeja  2"]);
    for count in ["succeeded", "refunded"] {
        let paid = counts(count, "agg_payments").await;
        assert_eq!(paid, ["Lagos/Ikeja card 2"]);
    }
    assert_regions_add_up(&platform).await;
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_routes_have_their_regions_however_old_they_are() {
    let platform = Platform::new(1).await;
    let (user, route) = (Uuid::new_v4(), Uuid::new_v4());
    // longer ago than any event can be that is accepted
    let old = format!(
        "INSERT INTO region_sources (kind, id, state, city, kafka_topic, event_timestamp) \
         SELECT source.1, source.2, 'Kano', 'Kano', 'old', now64(3) - INTERVAL 400 DAY FROM \
             (SELECT arrayJoin([('user', '{user}'), ('route', '{route}'), ('ride', '{user}'), ('payment', '{user}')]) AS source)"
    );
    let execute = async |sql: &str| platform.store.execute(sql, &Params::new()).await.unwrap();
    execute(&old).await;
    execute("OPTIMIZE TABLE region_sources FINAL").await;
    let kinds = "SELECT toString(kind) AS kind FROM region_sources ORDER BY kind";
    assert_eq!(rows(&platform, kinds).await, ["route", "user"]);

    let member = platform.start();
    send(
        &platform,
        &sample("user.kyc_verified", json!({"user_id": user})),
    );
    send(
        &platform,
        &sample("route.activated", json!({"route_id": route})),
    );
    platform.drained(2).await;
    settled(&platform).await;
    member.stop().await;
    for table in ["user_events", "route_events"] {
        let sql = format!("SELECT concat(state, '/', city) FROM {table}");
        assert_eq!(rows(&platform, &sql).await, ["Kano/Kano"], "{table}");
    }
    let verified = regional(&platform, "kyc_verified", "agg_users").await;
    assert_eq!(verified, ["Kano/Kano  1"]);
}
