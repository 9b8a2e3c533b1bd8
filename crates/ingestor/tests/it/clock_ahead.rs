//! A member whose clock is far ahead: good events are too old for it, and healthy batches are.

use crate::{
    member,
    platform::{Platform, until},
    postgres::Database,
    settling::settled,
    story::Story,
};
use chrono::{DateTime, TimeDelta, Utc};
use metadata_store::{batches, lanes};
use service_runtime::clock::{Clock, SystemClock};
use std::{
    io, mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::runtime::{Builder, Runtime};
use tracing::{Dispatch, dispatcher};

/// A clock that is so many days ahead.
#[derive(Default)]
struct DaysAhead(AtomicI64);

impl DaysAhead {
    fn set(&self, days: i64) {
        self.0.store(days, Ordering::Relaxed);
    }
}

impl Clock for DaysAhead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::days(self.0.load(Ordering::Relaxed))
    }
}

/// What a member says.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// A runtime on whose threads everything is said to this log.
    fn runtime(&self) -> Runtime {
        let log = self.clone();
        let told = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || log.clone());
        let told = Dispatch::new(told.finish());
        let mut threads = Builder::new_multi_thread();
        threads.on_thread_start(move || mem::forget(dispatcher::set_default(&told)));
        threads.enable_all().build().unwrap()
    }

    /// Waits until it is said, from now on, that this is not done because of the clock.
    async fn refuses(&self, what: &str) {
        self.0.lock().unwrap().clear();
        let is_said = async || {
            let said = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            let mut lines = said.lines();
            lines.any(|line| line.contains(what) && line.contains("is ahead of PostgreSQL's"))
        };
        assert!(until(is_said).await, "{what:?} was not said");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_clock_is_months_ahead_refuses_nothing_for_good_and_goes_on_when_it_is_right()
 {
    let platform = Platform::new(1).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(196, 120);
    let portions = story.split(2);
    let clock = Arc::new(DaysAhead::default());
    let log = Log::default();
    // it may not be dropped where the test runs
    let runtime: &Runtime = Box::leak(Box::new(log.runtime()));

    // it takes no lane from those whose clock is right
    clock.set(120);
    platform.send(&portions[0]);
    let member = {
        let _entered = runtime.enter();
        member::start_by(clock.clone(), &platform.config)
    };
    log.refuses("cannot begin").await;
    assert!(lanes::all(&platform.pool).await.unwrap().is_empty());
    clock.set(0);
    platform.drained(portions[0].len() as u64).await;

    // it has lanes, and judges what comes
    clock.set(120);
    platform.send(&portions[1]);
    log.refuses("no batch is opened").await;
    assert!(batches::open(&platform.pool).await.unwrap().is_empty());
    clock.set(0);
    platform.drained(story.len()).await;
    settled(&platform).await;
    story.assert_told(&platform).await;

    // what was written today is not too old to be put back
    clock.set(30);
    database
        .execute("UPDATE ingest_lane SET next_offset = first_offset")
        .await;
    log.refuses("").await;
    clock.set(0);
    platform.drained(story.len()).await;
    let lanes = lanes::all(&platform.pool).await.unwrap();
    let stopped = lanes.iter().find(|lane| lane.stopped_reason.is_some());
    assert!(stopped.is_none(), "{stopped:?}");
    member.stop().await;
    story.assert_told(&platform).await;
}
