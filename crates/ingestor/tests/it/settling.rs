use crate::{
    member::Program,
    platform::Platform,
    story::{Story, traffic},
};
use service_runtime::config::HumanDuration;
use shared_schema::Domain;
use simulator::Emission;
use std::time::{Duration, Instant};

/// Waits until no fact waits for its region.
pub async fn settled(platform: &Platform) {
    let waiting = "(SELECT sum(rows) FROM system.parts \
        WHERE database = currentDatabase() AND startsWith(table, 'waiting_') AND active)";
    let started = Instant::now();
    while platform.number(waiting).await > 0 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "facts still wait for their regions"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Every regional number, as text.
async fn regions(platform: &Platform) -> Vec<String> {
    let mut all = Vec::new();
    for sql in [
        "SELECT concat('bookings ', state, ' ', city, ' ', toString((sum(created), sum(confirmed), sum(cancelled), \
            sum(completed), sum(confirmed_value)))) AS row FROM agg_bookings WHERE scope = 'region' GROUP BY state, city ORDER BY row",
        "SELECT concat('payments ', state, ' ', city, ' ', payment_method, ' ', currency, ' ', toString((sum(succeeded), \
            sum(refunded), sum(revenue), sum(refunded_value)))) AS row FROM agg_payments WHERE scope = 'region' \
            GROUP BY state, city, payment_method, currency ORDER BY row",
        "SELECT concat('trips ', state, ' ', city, ' ', toString((sum(started), sum(completed), sum(distance_m), \
            sum(driver_earnings), uniqExactArray(driver_ids)))) AS row FROM agg_trips WHERE scope = 'region' GROUP BY state, city ORDER BY row",
        "SELECT concat('active ', state, ' ', city, ' ', toString(uniqExact(user_id))) AS row FROM user_activity \
            WHERE scope = 'region' GROUP BY state, city ORDER BY row",
        "SELECT concat('rows ', state, ' ', city, ' ', toString(count())) AS row FROM booking_events \
            GROUP BY state, city ORDER BY row",
        "SELECT concat('rows ', state, ' ', city, ' ', toString(count())) AS row FROM trip_events \
            GROUP BY state, city ORDER BY row",
    ] {
        all.extend(
            platform
                .store
                .query(sql)
                .fetch_all::<String>()
                .await
                .unwrap(),
        );
    }
    all
}

/// Everything is there once, with its regions, and nothing is left to settle.
pub async fn assert_settled(platform: &Platform, story: &Story, member: Program) {
    platform.drained(story.len()).await;
    settled(platform).await;
    member.stop();
    story.assert_told(platform).await;
    assert_regions_add_up(platform).await;
}

pub async fn assert_regions_add_up(platform: &Platform) {
    for (table, measure) in [
        ("agg_bookings", "sum(created)"),
        ("agg_bookings", "sum(confirmed_value) * 100"),
        ("agg_payments", "sum(revenue) * 100"),
        ("agg_payments", "sum(refunded)"),
        ("agg_trips", "sum(completed)"),
        ("agg_users", "sum(kyc_verified)"),
        ("agg_driver_earnings_state", "sum(earnings) * 100"),
        ("agg_popular_routes_state", "sum(bookings)"),
    ] {
        let total = format!("(SELECT {measure} FROM {table} WHERE scope = 'total')");
        let regions = format!("(SELECT {measure} FROM {table} WHERE scope = 'region')");
        assert_eq!(
            platform.number(&total).await,
            platform.number(&regions).await,
            "{measure} of {table}"
        );
    }
}

/// Reads the topics in the given order, each to its end before the next is sent.
async fn read_in_order(emissions: &[Emission], order: [Domain; 6]) -> Vec<String> {
    let mut platform = Platform::new(2).await;
    // longer than all topics take, or the facts of the first are given up before the last tells their regions
    platform.config.settle.patience = HumanDuration::secs(15);
    let member = platform.start();
    let mut sent = 0;
    for domain in order {
        let records: Vec<_> = emissions
            .iter()
            .map(|e| &e.record)
            .filter(|record| record.topic == domain)
            .collect();
        sent += records.len() as u64;
        platform.send(records);
        platform.drained(sent).await;
    }
    settled(&platform).await;
    member.stop().await;
    assert_regions_add_up(&platform).await;
    platform.assert_exact().await;
    regions(&platform).await
}

#[tokio::test(flavor = "multi_thread")]
async fn regional_numbers_do_not_depend_on_the_order_of_the_topics() {
    use Domain::{Booking, Location, Payment, Route, Trip, User};
    let emissions = traffic(7, 120);
    let forwards = read_in_order(&emissions, [User, Route, Booking, Payment, Trip, Location]).await;
    let backwards =
        read_in_order(&emissions, [Location, Trip, Payment, Booking, Route, User]).await;
    assert!(
        forwards.iter().any(|row| row.starts_with("trips Lagos")),
        "{forwards:#?}"
    );
    assert_eq!(forwards, backwards);
}
