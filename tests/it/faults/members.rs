//! Members that come and go all the time, and one that sleeps for long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{assert_exact, rig::Rig, sender::Story};

const STORM: Duration = Duration::from_secs(60);
/// From one change of the group to the next. Members hear of a rebalance with their next heartbeat, three seconds later at
/// most, and join after that: were the changes closer together, none would ever be given a lane.
const GUST: Duration = Duration::from_secs(7);
/// Records a second, which one member can well take in calm.
const RATE: u32 = 6_000;
/// The least share of them that is durable at the end of the storm, in percent.
const LEAST: u64 = 30;

/// Waits until a thread that sends has sent all.
async fn sent(sending: std::thread::JoinHandle<()>) {
    tokio::task::spawn_blocking(move || sending.join())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: make test-faults"]
async fn a_storm_of_rebalances_slows_down_and_changes_nothing() {
    let mut rig = Rig::new().await;
    let story = Arc::new(Story::new(201, 20_000));
    println!("{} records", story.len());
    rig.start_member();
    rig.owned_by(1).await;
    let sending = story.clone().send(rig.config.clone(), RATE as usize);
    let began = Instant::now();
    while began.elapsed() < STORM {
        rig.start_member();
        rig.wait(GUST).await;
        if rig.members() > 2 {
            rig.stop_member(1);
        }
    }
    let durable = rig.durable().await;
    let offered = story.len().min(u64::from(RATE) * began.elapsed().as_secs());
    let rebalances = rig.log(1).matches("lanes assigned").count();
    println!(
        "{rebalances} rebalances, {durable} of {offered} offsets durable at the end of the storm"
    );
    assert!(rebalances >= 4, "there was no storm: {}", rig.log(1));
    assert!(
        durable * 100 >= offered * LEAST,
        "too little went on in the storm"
    );
    sent(sending).await;
    rig.drained(story.len()).await;
    rig.stop_members();
    assert_exact(&rig, &story).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: make test-faults"]
async fn a_member_that_sleeps_beyond_its_session_is_replaced_and_wakes_harmless() {
    let mut rig = Rig::new().await;
    let story = Arc::new(Story::new(202, 20_000));
    rig.start_member();
    rig.start_member();
    rig.owned_by(2).await;
    let sending = story.clone().send(rig.config.clone(), RATE as usize);
    rig.put_to_sleep(0);
    // beyond its session, the other one has its lanes too
    rig.owned_by(1).await;
    rig.wait(Duration::from_secs(30)).await;
    rig.wake(0);
    rig.owned_by(2).await;
    sent(sending).await;
    rig.drained(story.len()).await;
    rig.stop_members();
    assert_exact(&rig, &story).await;
}
