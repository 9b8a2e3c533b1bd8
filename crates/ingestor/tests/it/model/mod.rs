//! The protocol against a simulated store, in any order of events.
//!
//! Which rule each operation stands for is told beside it in [`world`]. Batches, lanes and attempts follow
//! `metadata_store::batches`, the recovery `ingestor::recover`, the fence `event_store::fence`.

mod world;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use world::{LANES, MEMBERS, Operation, Outcome, Rules, World};

fn outcome(byte: u8) -> Outcome {
    match byte % 8 {
        0..3 => Outcome::Ok,
        3 => Outcome::ReplyLost,
        4..6 => Outcome::Late,
        parts => Outcome::Torn(usize::from(parts) - 5),
    }
}

/// An operation from random bytes: strategies of proptest's own would take most of the time.
fn operation([kind, first, second]: [u8; 3]) -> Operation {
    let (member, lane) = (usize::from(first) % MEMBERS, usize::from(second) % LANES);
    match kind % 40 {
        0..5 => Operation::Poll(member, lane, 1 + u64::from(first) % 4),
        5..8 => Operation::ReadLife(member),
        8..12 => Operation::Intent(member),
        12..16 => Operation::Insert(member, outcome(second)),
        16..20 => Operation::Announce(member),
        20..24 => Operation::Fence(member),
        24..28 => Operation::Repair(member, outcome(second)),
        28..31 => Operation::Close(member),
        31..33 => Operation::Arrive(usize::from(second) % 3),
        33..35 => Operation::Advance(usize::from(second) % 3),
        35 => Operation::Crash(member),
        36..39 => Operation::Rebalance(lane, member, second >= 128),
        _ => Operation::Restart,
    }
}

/// Runs random histories under the rules.
fn explore(rules: Rules, cases: u32) -> Result<(), TestError<Vec<[u8; 3]>>> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let seed = [7; 32];
    println!("seed {seed:?}");
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let histories = prop::collection::vec(any::<[u8; 3]>(), 1..200);
    TestRunner::new_with_rng(config, rng).run(&histories, |history| {
        let mut world = World::new(rules);
        for bytes in history {
            world.apply(operation(bytes)).map_err(TestCaseError::fail)?;
        }
        world.settle().map_err(TestCaseError::fail)
    })
}

#[test]
fn every_history_ends_with_each_event_stored_once_in_each_table() {
    if let Err(error) = explore(Rules::PROTOCOL, 10_000) {
        panic!("{error}");
    }
}

/// A rule that is left out must show, or the model says nothing about it.
fn is_needed(rules: Rules) {
    let found = explore(rules, 30_000);
    assert!(
        matches!(found, Err(TestError::Fail(..))),
        "no history needs the rule: {found:?}"
    );
}

#[test]
fn without_the_fence_a_late_insert_doubles() {
    is_needed(Rules {
        fence: false,
        ..Rules::PROTOCOL
    });
}

#[test]
fn without_the_kill_a_running_insert_doubles() {
    is_needed(Rules {
        kill: false,
        ..Rules::PROTOCOL
    });
}

#[test]
fn with_a_life_that_is_read_after_the_intent_a_zombie_doubles() {
    is_needed(Rules {
        life_first: false,
        ..Rules::PROTOCOL
    });
}

#[test]
fn without_a_look_at_what_is_there_a_repair_doubles() {
    is_needed(Rules {
        look: false,
        ..Rules::PROTOCOL
    });
}

#[test]
fn without_a_look_behind_a_repair_a_torn_one_loses() {
    is_needed(Rules {
        look_again: false,
        ..Rules::PROTOCOL
    });
}
