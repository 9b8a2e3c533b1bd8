//! Everything dies, again and again, while events go through: a million of them, or for all days some thousand. And what
//! else takes long: storms, sleepers, full disks.

mod answers;
mod full_disk;
mod members;
mod rig;
mod sender;

use std::{env, ops::Range, sync::Arc, time::Duration};

use devstack::Server;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use service_runtime::{clock::SystemClock, config::HumanDuration};
use verify::{Outcome, Verifier};

use rig::Rig;
use sender::Story;

const SEED: &str = "OPENRIDE_FAULTS_SEED";
const RIDES: &str = "OPENRIDE_FAULTS_RIDES";

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// What a platform suffers while a story goes through it.
struct Torment {
    /// How long the story is sent, at least; longer than all else takes, so that nothing strikes an idle platform.
    sending: Duration,
    /// Members that are up at once.
    members: usize,
    /// Members killed with -9.
    kills: usize,
    /// Milliseconds before each of them.
    pause: Range<u64>,
    /// Before which of them a server is killed, and how long it is gone.
    servers: &'static [(usize, Server, Duration)],
    /// How likely a member is halted before each of them; and how likely one leaves.
    mishap: f64,
}

/// What has died.
#[derive(Debug, Default)]
struct Toll {
    members: usize,
    servers: Vec<Server>,
    /// The batches that ClickHouse was writing when it was killed.
    interrupted: Vec<String>,
}

const LONG: Torment = Torment {
    sending: Duration::from_secs(240),
    members: 3,
    kills: 20,
    pause: 500..6_000,
    servers: &[
        (4, Server::ClickHouse, Duration::ZERO),
        (7, Server::Kafka, Duration::ZERO),
        (9, Server::ClickHouse, Duration::ZERO),
        (12, Server::ClickHouse, Duration::from_secs(20)),
        (15, Server::ClickHouse, Duration::ZERO),
        (18, Server::Postgres, Duration::ZERO),
    ],
    mishap: 0.2,
};

const SHORT: Torment = Torment {
    sending: Duration::from_secs(20),
    members: 2,
    kills: 3,
    pause: 500..2_000,
    servers: &[(1, Server::ClickHouse, Duration::ZERO)],
    mishap: 0.0,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: make test-faults"]
async fn a_million_events_are_exact_whatever_dies() {
    let (seed, rides) = (setting(SEED, 1), setting(RIDES, 100_000));
    println!("{SEED}={seed} {RIDES}={rides}");
    let rig = Rig::new().await;
    let story = Arc::new(Story::new(seed, rides));
    assert!(env::var_os(RIDES).is_some() || story.len() >= 1_000_000);
    let toll = LONG.exact(rig, story, seed).await;
    let died = |server| toll.servers.iter().filter(|died| **died == server).count();
    assert!(
        toll.members >= 20 && died(Server::ClickHouse) >= 3 && died(Server::Kafka) >= 1,
        "{toll:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn some_thousand_events_are_exact_whatever_dies() {
    let seed = setting(SEED, 1);
    println!("{SEED}={seed}");
    let mut rig = Rig::new().await;
    // what is lost is given up soon
    rig.config.settle.patience = HumanDuration::secs(5);
    rig.config.settle.interval = HumanDuration::millis(500);
    rig.config.batch.max_rows = 1_000;
    let story = Arc::new(Story::new(seed, 250));
    SHORT.exact(rig, story, seed).await;
}

impl Torment {
    /// The story goes through, and every number is right at its end.
    async fn exact(&self, mut rig: Rig, story: Arc<Story>, seed: u64) -> Toll {
        println!("{} records", story.len());
        let rate = story.len() / self.sending.as_secs();
        rig.start_member();
        rig.owned_by(1).await;
        let sending = story
            .clone()
            .send(rig.config.clone(), rate.try_into().unwrap());
        let toll = self
            .strike(&mut rig, &mut StdRng::seed_from_u64(seed))
            .await;
        let durable = rig.durable().await;
        assert!(
            durable < story.len(),
            "everything had been read before the last kill"
        );
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
        let recovered = rig.recovered(&toll.interrupted).await;
        assert!(recovered > 0, "ClickHouse died in no insert: {toll:?}");
        toll
    }

    /// Members join, leave, are killed and halted; servers die and come back.
    async fn strike(&self, rig: &mut Rig, chance: &mut StdRng) -> Toll {
        let mut toll = Toll::default();
        while rig.members() < self.members {
            rig.start_member();
        }
        rig.owned_by(self.members).await;
        rig.stop_member(chance.random_range(0..self.members));
        for kill in 1..=self.kills {
            self.refill(rig, chance);
            rig.wait(Duration::from_millis(
                chance.random_range(self.pause.clone()),
            ))
            .await;
            for (_, server, pause) in self.servers.iter().filter(|(at, ..)| *at == kill) {
                if *server == Server::ClickHouse {
                    toll.interrupted.extend(rig.under_insert().await);
                }
                rig.kill_and_restart(*server, *pause);
                toll.servers.push(*server);
            }
            if chance.random_bool(self.mishap) {
                let halted = chance.random_range(0..rig.members());
                rig.halt_member(halted, Duration::from_secs(8)).await;
            }
            if rig.members() > 1 && chance.random_bool(self.mishap) {
                rig.stop_member(chance.random_range(0..rig.members()));
            }
            rig.kill_member(chance.random_range(0..rig.members()));
            toll.members += 1;
            println!("kill {kill}: {} offsets are durable", rig.durable().await);
        }
        self.refill(rig, chance);
        toll
    }

    /// At least one member is up afterwards.
    fn refill(&self, rig: &mut Rig, chance: &mut StdRng) {
        while rig.members() == 0 || (rig.members() < self.members && chance.random_bool(0.6)) {
            rig.start_member();
        }
    }
}

/// Every record has its one verdict, and every number is what the stored rows say.
async fn assert_exact(rig: &Rig, story: &Story) {
    story.assert_told(&rig.store).await;
    assert_eq!(rig.claimed_twice().await, 0, "offsets in two batches");
    assert_verified(rig).await;
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
