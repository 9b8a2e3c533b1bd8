//! Replicas that make the same answer: who waits for whom, and how long.

use std::time::{Duration, Instant};

use devstack::{Flow, Server, Wire};
use futures::future::join_all;
use reqwest::Response;
use tokio::time::sleep;

use crate::{
    api::{LATER, SLACK},
    kept::keeping,
    process::Process,
    wire::through_wire,
};

#[tokio::test(flavor = "multi_thread")]
async fn replicas_do_not_queue_for_answers_that_nobody_keeps() {
    let mut config = keeping().await;
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    // by a clock that goes: what took longer than it is fresh is kept by nobody
    let replicas = [(); 3].map(|()| Process::start(&config, &[]));
    wire.set(Flow::Slow(Duration::from_secs(2)));
    let ask = async |api: &Process, state: &str| {
        let began = Instant::now();
        let path = format!("/v1/metrics/realtime?state={state}");
        let answer = api.get(&path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        began.elapsed()
    };
    let alone = ask(&replicas[0], "Oyo").await;
    let together = replicas.iter().map(|api| ask(api, "Lagos"));
    for took in join_all(together).await {
        // as long as it would be fresh is waited for
        assert!(
            took < alone + Duration::from_secs(1) + SLACK / 2,
            "{took:?} {alone:?}"
        );
    }
}

/// Two replicas with these settings, whose way to ClickHouse is the wire.
async fn two_replicas(settings: &[(&str, &str)]) -> (Wire, [Process; 2]) {
    let mut config = keeping().await;
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    (wire, [(); 2].map(|()| Process::start(&config, settings)))
}

/// How two replicas answer, one asked after the other, and what each took.
async fn one_after_the_other(replicas: &[Process; 2], path: &str) -> [(Response, Duration); 2] {
    let ask = async |api: &Process, after: Duration| {
        sleep(after).await;
        let began = Instant::now();
        (api.get(path).send().await.unwrap(), began.elapsed())
    };
    let [one, other] = replicas;
    let answers = tokio::join!(ask(one, Duration::ZERO), ask(other, LATER));
    answers.into()
}

/// The status of an answer, where it came from, and whether it is said to be old.
fn told(answer: &Response) -> (u16, &str, bool) {
    let headers = answer.headers();
    let cache = headers["x-cache"].to_str().unwrap();
    (
        answer.status().as_u16(),
        cache,
        headers.contains_key("warning"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_makes_an_answer_takes_what_another_makes_meanwhile() {
    // the other is waited for for two seconds, and after four its answer is old
    let settings = [
        ("OPENRIDE_HTTP_QUERY_DEADLINE", "4s"),
        ("OPENRIDE_CACHE_FILLING", "4s"),
    ];
    let (wire, replicas) = two_replicas(&settings).await;
    wire.set(Flow::Slow(Duration::from_secs(3)));
    let path = "/v1/metrics/bookings";
    let [(first, alone), (second, took)] = one_after_the_other(&replicas, path).await;
    assert_eq!(
        [told(&first), told(&second)],
        [(200, "miss", false), (200, "hit", false)]
    );
    assert!(alone > Duration::from_secs(2) + LATER, "{alone:?}");
    let behind = (took + LATER).saturating_sub(alone);
    assert!(behind < SLACK / 2, "{behind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_keeps_is_made_by_each_replica_in_its_own_time() {
    let settings = [
        ("OPENRIDE_HTTP_QUERY_DEADLINE", "4s"),
        ("OPENRIDE_CACHE_FILLING", "1s"),
    ];
    let (wire, replicas) = two_replicas(&settings).await;
    wire.set(Flow::Slow(Duration::from_millis(2500)));
    // one statement after the other, each within the deadline
    for (answer, took) in one_after_the_other(&replicas, "/v1/metrics/payments").await {
        assert_eq!(told(&answer), (200, "miss", false));
        assert!(took > Duration::from_secs(4), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_another_replica_waits_half_a_deadline_longer_at_most() {
    let (wire, replicas) = two_replicas(&[("OPENRIDE_HTTP_QUERY_DEADLINE", "4s")]).await;
    wire.set(Flow::Neither);
    let path = "/v1/metrics/bookings?start_date=2026-05-01&end_date=2026-05-31";
    let [(first, alone), (second, took)] = one_after_the_other(&replicas, path).await;
    assert_eq!(
        [first.status(), second.status()].map(|status| status.as_u16()),
        [503; 2]
    );
    let bound = alone + Duration::from_secs(2) + SLACK / 2;
    assert!(took < bound, "{took:?} {alone:?}");
}
