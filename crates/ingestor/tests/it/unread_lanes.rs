//! Partitions that a member of the group has, which has told nobody of them yet.

use crate::{
    log_faults::delete_before_the_end,
    member::Program,
    platform::{Platform, until},
};
use metadata_store::lanes::{self, Lane};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// A member that never says which partitions it has.
struct Silent {
    ends: Arc<AtomicBool>,
    polling: JoinHandle<()>,
}

impl Silent {
    fn join(platform: &Platform) -> Self {
        let consumer: BaseConsumer = platform.config.kafka.member().create().unwrap();
        let topics = platform.topics();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let is_over = ends.clone();
        let polling = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let _ = consumer.poll(Duration::from_millis(50));
            }
        });
        Self { ends, polling }
    }

    fn leave(self) {
        self.ends.store(true, Ordering::Relaxed);
        self.polling.join().unwrap();
    }
}

fn is_unread(lane: &Lane) -> bool {
    lane.epoch == 0 && lane.owner.is_none() && lane.complete_through.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_nobody_has_taken_over_are_waited_for_and_begin_where_they_are() {
    let platform = Platform::new(1).await;
    let silent = Silent::join(&platform);
    let member = Program::start(&platform.config);
    // the members share the partitions
    let told = |lanes: &[Lane]| {
        let known = lanes.iter().filter(|lane| lane.complete_through.is_some());
        lanes.len() == 6
            && known.count() == 3
            && lanes.iter().filter(|lane| is_unread(lane)).count() == 3
    };
    platform.lanes_are("told of", told).await;
    assert_eq!(
        lanes::complete_through(&lanes::all(&platform.pool).await.unwrap()),
        None
    );

    let all = lanes::all(&platform.pool).await.unwrap();
    let unread = all.into_iter().find(is_unread).unwrap();
    (0..2).for_each(|_| platform.send_raw(&unread.topic, b"key", b"no event"));
    platform.flush();
    delete_before_the_end(&platform, &unread.topic).await;
    silent.leave();
    platform.owned_by(1).await;
    platform.send_raw(&unread.topic, b"key", b"no event");
    platform.flush();
    platform.drained(1).await;
    let is_complete = async || {
        let all = lanes::all(&platform.pool).await.unwrap();
        lanes::complete_through(&all).is_some()
    };
    assert!(until(is_complete).await);
    member.stop();
    let taken = lanes::find(&platform.pool, &unread.id()).await.unwrap();
    let taken = taken.unwrap();
    assert_eq!((taken.first_offset, taken.next_offset), (2, 3));
    assert_eq!(taken.stopped_reason, None);
    platform.assert_balanced().await;
}
