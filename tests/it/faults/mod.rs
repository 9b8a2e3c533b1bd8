//! What takes long: everything dies, again and again, while a million events go through; storms, sleepers, full disks.
//! The short version, with one kill, is in `answers` and runs with all other tests.

mod answers;
mod full_disk;
mod members;
mod rig;
mod sender;

use std::{env, sync::Arc, time::Duration};

use devstack::Server;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use service_runtime::clock::SystemClock;
use verify::{Outcome, Verifier};

use rig::Rig;
use sender::Story;

const SEED: &str = "OPENRIDE_FAULTS_SEED";
const RIDES: &str = "OPENRIDE_FAULTS_RIDES";
/// Records a second; the members need longer than they are killed.
const RATE: usize = 15_000;
/// Members killed with -9.
const KILLS: usize = 20;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: make test-faults"]
async fn a_million_events_are_exact_whatever_dies() {
    let (seed, rides) = (setting(SEED, 1), setting(RIDES, 80_000));
    println!("{SEED}={seed} {RIDES}={rides}");
    let mut rig = Rig::new().await;
    let story = Arc::new(Story::new(seed, rides));
    println!("{} records", story.len());
    let sending = story.clone().send(rig.config.clone(), RATE);
    torment(&mut rig, &mut StdRng::seed_from_u64(seed)).await;
    tokio::task::spawn_blocking(move || sending.join())
        .await
        .unwrap()
        .unwrap();
    println!("all records are sent");
    rig.drained(story.len()).await;
    rig.settled().await;
    rig.stop_members();
    assert_exact(&rig, &story).await;
    answers::assert_answered(&rig, &story).await;
}

/// Every record has its one verdict, and every number is what the stored rows say.
async fn assert_exact(rig: &Rig, story: &Story) {
    story.assert_told(&rig.store).await;
    assert_eq!(rig.claimed_twice().await, 0, "offsets in two batches");
    assert_verified(rig).await;
}

/// Members are killed, halted and joined by others; servers die and come back.
async fn torment(rig: &mut Rig, chance: &mut StdRng) {
    rig.start_member();
    for kill in 1..=KILLS {
        rig.wait(Duration::from_millis(chance.random_range(500..6_000)))
            .await;
        while rig.members() < 3 && chance.random_bool(0.6) {
            rig.start_member();
        }
        match kill {
            4 | 9 | 15 => rig.kill_and_restart(Server::ClickHouse, Duration::ZERO),
            12 => rig.kill_and_restart(Server::ClickHouse, Duration::from_secs(20)),
            7 => rig.kill_and_restart(Server::Kafka, Duration::ZERO),
            18 => rig.kill_and_restart(Server::Postgres, Duration::ZERO),
            _ => {}
        }
        if chance.random_bool(0.2) {
            rig.halt_member(
                chance.random_range(0..rig.members()),
                Duration::from_secs(8),
            )
            .await;
        }
        if rig.members() > 1 && chance.random_bool(0.2) {
            rig.stop_member(chance.random_range(0..rig.members()));
        }
        rig.kill_member(chance.random_range(0..rig.members()));
        println!("kill {kill}: {} offsets are durable", rig.durable().await);
        if rig.members() == 0 {
            rig.start_member();
        }
    }
}

async fn assert_verified(rig: &Rig) {
    let verifier = Verifier {
        store: rig.store.clone(),
        pool: rig.pool.clone(),
        clock: Arc::new(SystemClock),
        patience: Duration::from_secs(60),
        pause: Duration::from_secs(1),
    };
    let outcome = verifier
        .run(|report| println!("{}: {} compared", report.subject, report.compared))
        .await;
    let outcome = outcome.unwrap();
    assert!(matches!(outcome, Outcome::Right), "{outcome:?}");
}
