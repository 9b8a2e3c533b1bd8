//! The thread that polls Kafka, gathers records, and cuts batches.

mod choice;
mod gather;
mod group;
mod lanes;
mod takeover;
mod watch;

pub(crate) use group::Group;
pub(crate) use takeover::{TakeOver, Wanted};

use crate::{
    board::Board,
    config::Config,
    handover::Giving,
    kafka,
    reread::{Emptiness, Prober},
    stopped,
};
use event_store::Buffers;
use gather::{Gather, Taken};
use metadata_store::LaneId;
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
};
use service_runtime::health::Heartbeat;
use shared_schema::Subscriptions;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use watch::Watch;

const POLL: Duration = Duration::from_millis(50);
/// Records taken between two looks at everything else.
const BURST: usize = 512;
/// How long a lane may be silent, with Kafka's end further on, before the silence is looked into.
const SILENCE: Duration = Duration::from_secs(3);

/// Reads the member's lanes.
pub(crate) struct Intake {
    consumer: Arc<BaseConsumer<Group>>,
    gather: Gather,
    board: Arc<Board>,
    prober: Prober,
    sources: Arc<Subscriptions>,
    batches: Giving,
    heartbeat: Heartbeat,
    shutdown: CancellationToken,
    /// Topics that are not fetched, since there is no room for them.
    paused: BTreeSet<String>,
    looked: Instant,
    take_overs: JoinSet<()>,
    /// The number of the last take-over.
    number: u64,
    /// Lanes to be taken over again as soon as no batch holds them.
    leaving: BTreeSet<LaneId>,
    watch: Watch,
}

impl Intake {
    /// Joins the group; lanes come with the first polls. Records are gathered in `memory`.
    ///
    /// # Errors
    /// When the client cannot be configured so.
    pub(crate) fn join(
        config: &Config,
        takeover: TakeOver,
        board: Arc<Board>,
        batches: Giving,
        memory: Buffers,
        heartbeat: Heartbeat,
    ) -> KafkaResult<Self> {
        let (sources, shutdown) = (
            takeover.recovery.sources.clone(),
            takeover.recovery.shutdown.clone(),
        );
        let consumer: BaseConsumer<Group> = config
            .kafka
            .member()
            .create_with_context(Group::new(board.clone(), takeover))?;
        consumer.subscribe(&sources.topics().collect::<Vec<_>>())?;
        Ok(Self {
            consumer: Arc::new(consumer),
            gather: Gather::new(config.batch.clone(), memory),
            board,
            prober: Prober::new(&config.kafka),
            sources,
            batches,
            heartbeat,
            shutdown,
            paused: BTreeSet::new(),
            looked: Instant::now(),
            take_overs: JoinSet::new(),
            number: 0,
            leaving: BTreeSet::new(),
            watch: Watch::default(),
        })
    }

    /// The consumer, for whoever asks Kafka for ends or commits.
    pub(crate) fn consumer(&self) -> Arc<BaseConsumer<Group>> {
        self.consumer.clone()
    }

    /// Runs until shutdown, or until the client can go on no more. What was gathered is cut and handed on.
    ///
    /// # Errors
    /// When the client reports that it is beyond repair.
    pub(crate) fn run(mut self) -> KafkaResult<()> {
        while !self.shutdown.is_cancelled() {
            self.heartbeat.beat();
            self.poll()?;
            self.follow_changes();
            self.hand_on();
            self.press_back();
            self.look_into_silence();
        }
        if !self.gather.is_empty() {
            info!("handing on what was gathered");
            let last = self.gather.cut(&self.board);
            self.batches.finish(last);
        }
        self.end_take_overs();
        Ok(())
    }

    fn poll(&mut self) -> KafkaResult<()> {
        let consumer = self.consumer.clone();
        let mut patience = POLL;
        for _ in 0..BURST {
            let message = match consumer.poll(patience) {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    self.gather.interrupt();
                    return self.survive(error);
                }
                None => return Ok(()),
            };
            if let Taken::Gap { lo, hi } = self.gather.take(&message, &self.board) {
                let lane = kafka::lane_of(&message);
                if self.account_for(&lane, lo, hi) {
                    self.gather.take(&message, &self.board);
                }
            }
            if !self.gather.has_room_for(message.topic()) {
                return Ok(());
            }
            patience = Duration::ZERO;
        }
        Ok(())
    }

    /// Most errors are news about connections that the client mends itself.
    fn survive(&self, error: KafkaError) -> KafkaResult<()> {
        match self.consumer.client().fatal_error() {
            Some((code, reason)) => {
                error!(%code, reason, "the Kafka client cannot go on");
                Err(error)
            }
            None => {
                warn!(%error, "the Kafka client reports an error");
                Ok(())
            }
        }
    }

    fn hand_on(&mut self) {
        if self.gather.is_due() {
            let (gather, board) = (&mut self.gather, &self.board);
            self.batches.offer(|| gather.cut(board));
        }
    }

    /// Stops fetching what has no room until the pipeline takes a batch. Polling goes on.
    fn press_back(&mut self) {
        let full = self.gather.full_topics();
        if full == self.paused {
            return;
        }
        self.gather.interrupt();
        // a lane that is not read yet is paused until it is taken over
        let lanes = self.gather.ids();
        let of = |topics: &BTreeSet<String>, others: &BTreeSet<String>| -> Vec<LaneId> {
            let changed =
                |lane: &&LaneId| topics.contains(&lane.topic) && !others.contains(&lane.topic);
            lanes.iter().filter(changed).cloned().collect()
        };
        let switched = self
            .pause(&of(&full, &self.paused))
            .and_then(|()| self.resume(&of(&self.paused, &full)));
        match switched {
            Ok(()) => self.paused = full,
            Err(error) => warn!(%error, "lanes cannot be paused or resumed"),
        }
    }

    /// A transaction marker at the end of a partition is no record: without a look, its offset would stay open. And
    /// nothing comes from a topic that was made anew, until it has as many records as the old one.
    fn look_into_silence(&mut self) {
        if self.looked.elapsed() < SILENCE || !self.paused.is_empty() {
            return;
        }
        self.looked = Instant::now();
        for (lane, next, end) in self.gather.silent(&self.board, SILENCE) {
            let understood = if end > next {
                self.account_for(&lane, next, end - 1)
            } else {
                self.find_end(&lane, next)
            };
            if !understood {
                return;
            }
        }
    }

    /// Asks Kafka for the bounds of a lane that may lie beyond them. Answers whether it knows.
    fn find_end(&mut self, lane: &LaneId, next: i64) -> bool {
        match kafka::bounds(&self.consumer, lane) {
            Ok((low, high)) => {
                if let Some(reason) = takeover::outside(next, low, high) {
                    self.stop(lane, &reason);
                }
                true
            }
            Err(error) => {
                warn!(lane = %lane, %error, "Kafka does not tell the bounds of a lane");
                false
            }
        }
    }

    /// Finds out why there is no record in `[lo, hi]`. Answers whether the lane may go on behind it.
    fn account_for(&mut self, lane: &LaneId, lo: i64, hi: i64) -> bool {
        match self.prober.prove_empty(lane, lo, hi) {
            Ok(Emptiness::Proved) => {
                self.gather.skip(lane, lo, hi);
                true
            }
            Ok(Emptiness::Lost { begins_at }) => {
                self.stop(lane, &stopped::lost(lo, begins_at));
                false
            }
            Ok(Emptiness::Refuted) => {
                // the records are there and this consumer passed them by: read on from them
                self.seek_back(lane, lo);
                false
            }
            Err(error) => {
                warn!(lane = %lane, %error, "a gap cannot be looked into yet");
                self.seek_back(lane, lo);
                false
            }
        }
    }

    fn seek_back(&mut self, lane: &LaneId, offset: i64) {
        self.gather.interrupt();
        if let Err(error) = self.place(lane, offset) {
            warn!(lane = %lane, %error, "a lane cannot be read again from {offset}");
        }
    }
}
