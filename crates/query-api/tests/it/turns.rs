//! What statements may take: turns, which callers share, and memory.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use devstack::{Flow, Server, Wire};
use futures::future::join_all;
use query_api::Config;
use reqwest::Method;
use service_runtime::{
    clock::{Clock as _, SystemClock},
    config::{ByteSize, HumanDuration},
};
use shared_schema::access::{Role, Scope};
use tokio::time::sleep;

use crate::{
    api::{Answer, Api, LATER, SLACK, databases, now},
    callers::{guarded, key, with},
    kept::keeping,
    wire::through_wire,
};

fn drivers(limit: usize) -> String {
    format!("/v1/metrics/drivers?limit={limit}")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_statements_run_at_once_than_may() {
    let mut config = databases().await;
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    config.http.concurrent_queries = 1;
    let api = Api::over(&config, now());
    wire.set(Flow::Slow(Duration::from_millis(500)));
    let ask = async |api: &Api, limit: usize| {
        let began = Instant::now();
        let answer = api.get(&drivers(limit)).await;
        (answer, began.elapsed())
    };
    let (answer, alone) = ask(&api, 1).await;
    assert_eq!(answer.status, 200);
    let together = join_all((2..6).map(|limit| ask(&api, limit))).await;
    let slowest = together.iter().map(|(_, took)| *took).max().unwrap();
    assert!(slowest > 3 * alone, "{alone:?} {slowest:?}");
    assert!(together.iter().all(|(answer, _)| answer.status == 200));

    config.http.query_deadline = HumanDuration::secs(1);
    let api = Api::over(&config, now());
    let together = join_all((1..9).map(|limit| ask(&api, limit))).await;
    let late = |(answer, _): &&(Answer, Duration)| answer.status != 200;
    let late: Vec<_> = together.iter().filter(late).collect();
    assert!(!late.is_empty());
    for (answer, took) in late {
        assert_eq!(answer.problem(), (503, "busy".to_owned()));
        assert_eq!(answer.header("retry-after"), "2");
        // that of each of its statements is waited for for half a second
        assert!(*took < Duration::from_secs(2) + SLACK, "{took:?}");
    }
}

/// Two callers of an API that needs some time for each statement, and runs two at once.
async fn two_callers(mut config: Config, each: Duration) -> (Api, Wire, [String; 2]) {
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    config.http.concurrent_queries = 2;
    let api = Api::over(&config, now());
    let one = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let other = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    wire.set(Flow::Slow(each));
    (api, wire, [one, other])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_asks_much_at_once_leaves_turns_to_others() {
    let (api, _wire, [much, little]) = two_callers(guarded().await, Duration::from_secs(1)).await;
    let ask = async |key: &str, limit: usize| {
        let began = Instant::now();
        let answer = with(&api, key, Method::GET, &drivers(limit)).await;
        (answer.status, began.elapsed())
    };
    let (status, alone) = ask(&little, 1).await;
    assert_eq!(status, 200);
    let flood = join_all((2..8).map(|limit| ask(&much, limit)));
    let other = async {
        sleep(LATER).await;
        ask(&little, 8).await
    };
    let (flood, (status, took)) = tokio::join!(flood, other);
    assert_eq!(status, 200);
    assert!(took < 2 * alone, "{took:?} {alone:?}");
    let slowest = flood.iter().map(|(_, took)| *took).max().unwrap();
    assert!(slowest > 3 * alone, "{slowest:?} {alone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_turn_is_answered_though_who_asked_the_same_before_has_none() {
    let mut config = guarded().await;
    config.cache.enabled = true;
    config.http.query_deadline = HumanDuration::secs(8);
    let (api, _wire, [much, little]) = two_callers(config, Duration::from_secs(3)).await;
    let ask = async |key: &str, limit: usize, after: Duration| {
        sleep(after).await;
        with(&api, key, Method::GET, &drivers(limit)).await
    };
    // as long as that goes on, each of its statements has some before it for longer than it waits
    let flood = join_all((0..6).map(async |one| {
        for another in 0.. {
            ask(&much, 10 + 6 * another + one, Duration::ZERO).await;
        }
    }));
    let asked = async {
        tokio::join!(
            ask(&much, 1, LATER / 2),
            ask(&much, 1, LATER / 2),
            ask(&little, 1, LATER)
        )
    };
    let (one, other, second) = tokio::select! {
        _ = flood => unreachable!("it never ends"),
        answers = asked => answers,
    };
    // of these, who made it for all had no turn
    let first = [one, other].into_iter().find(|answer| answer.status != 200);
    assert_eq!(first.unwrap().problem(), (503, "busy".to_owned()));
    assert_eq!((second.status, second.header("x-cache")), (200, "miss"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_needs_too_much_memory_is_no_outage() {
    let mut config = keeping().await;
    config.cache.analyses = HumanDuration::millis(1);
    let now = SystemClock.now();
    let api = Api::over(&config, now);
    api.execute(
        "INSERT INTO in_booking (event_id, event_type, event_timestamp, booking_id, rider_id, region_settled, state, city, decided_at) \
         SELECT generateUUIDv4(), 'booking.created', now64(3) - INTERVAL 3 DAY, generateUUIDv4(), generateUUIDv4(), true, 'Lagos', 'Ikeja', now64(3) \
         FROM numbers(300000)",
    )
    .await;
    let day = |days| (now - TimeDelta::days(days)).date_naive();
    let path = format!(
        "/v1/analytics/funnel?steps=booking.created,trip.started&start_date={}&end_date={}",
        day(6),
        day(2)
    );
    let path = path.as_str();
    // what is kept of it is not shown instead, as in an outage
    assert_eq!(api.json(path).await["total_users_entered"], 300_000);
    config.http.query_memory = ByteSize::mib(1);
    let api = Api::over(&config, now + TimeDelta::seconds(1));
    let answer = api.get(path).await;
    assert_eq!(answer.problem(), (422, "query_too_large".to_owned()));
    assert_eq!(answer.header("retry-after"), "");
}
