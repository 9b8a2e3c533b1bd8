//! A declaration that offsets are lost, as a batch like any other: it has no records, and a gap.
//!
//! ```text
//! look ─▶ take the lane over ─▶ finish the batch that holds it ─▶ look again
//!      ─▶ open ─▶ correct the ledger ─▶ write ─▶ close ─▶ let it go on
//! ```
//!
//! Nothing is changed before the batch is open, which has the lane for itself. If the command dies on the way, whoever
//! takes the lane over next finishes its batch, and the same command says that the lane may go on.

mod batch;

use super::{
    bounds::Bounds,
    finish::finish,
    plan::Plan,
    stored,
    taken::{owner, with_lane},
};
use crate::{config::Config, kafka::bounds, recover::Recovery, stopped::RETIRED};
use anyhow::{Context, bail, ensure};
use metadata_store::{
    LaneId, Pool,
    lanes::{self, Lane},
};
use rdkafka::consumer::BaseConsumer;
use shared_schema::Subscription;
use std::{sync::Arc, time::Duration};

/// How often the lane is taken over, where a member takes it back meanwhile, and the pause between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// What becomes of the lane behind the lost offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It goes on.
    GoOn,
    /// It stands still there.
    Stand,
    /// It is retired.
    Retire,
}

/// Offsets of a lane are declared lost, from its next one on.
pub(super) struct Declaration<'a> {
    config: &'a Config,
    lane: &'a LaneId,
    then: Then,
    recovery: &'a Recovery,
    source: Arc<Subscription>,
    owner: String,
}

impl<'a> Declaration<'a> {
    /// About a lane of a subscribed topic.
    pub(super) fn new(
        config: &'a Config,
        recovery: &'a Recovery,
        lane: &'a LaneId,
        then: Then,
    ) -> anyhow::Result<Self> {
        let source = recovery.sources.by_topic(&lane.topic).cloned();
        Ok(Self {
            config,
            lane,
            then,
            recovery,
            source: source
                .with_context(|| format!("{} is not subscribed to", lane.topic))?
                .into(),
            owner: owner(),
        })
    }

    fn pool(&self) -> &Pool {
        &self.recovery.pool
    }

    /// The lane, which must stand still if it is to go on behind what is lost.
    pub(super) async fn stands(&self) -> anyhow::Result<Lane> {
        let lane = self.lane;
        let Some(stored) = lanes::find(self.pool(), lane).await? else {
            bail!("{lane} is not known: see `ingestor lanes list`");
        };
        ensure!(
            self.then != Then::GoOn || stored.stopped_reason.is_some(),
            "{lane} does not stand still: only what stopped a lane can be lost"
        );
        Ok(stored)
    }

    /// Whether an earlier call has declared the offsets, and died before the lane went on.
    pub(super) async fn is_made(&self, stands: &Lane, through: i64) -> anyhow::Result<bool> {
        if stands.next_offset - 1 != through {
            return Ok(false);
        }
        let store = self.recovery.writer.store();
        Ok(stored::is_declared(store, self.lane, through).await?)
    }

    /// Declares the offsets up to `through`.
    ///
    /// # Errors
    /// When it is refused, or a server does not answer.
    pub(super) async fn make(&self, through: i64) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            if self.once(through).await? {
                return Ok(());
            }
            println!("a member has taken the lane over meanwhile; trying again");
            tokio::time::sleep(PAUSE).await;
        }
        bail!(
            "members take the lane over again and again, and nothing was declared: say it again when they are calm"
        )
    }

    /// Takes the lane over for one try. Answers whether nobody has taken it from us before the end.
    async fn once(&self, through: i64) -> anyhow::Result<bool> {
        let declare = async |taken| self.declare(taken, through).await;
        with_lane(self.recovery, &self.owner, self.lane, declare).await
    }

    /// The lane is ours: nobody else opens a batch on it.
    async fn declare(&self, taken: Lane, through: i64) -> anyhow::Result<bool> {
        if let Some(batch) = taken.open_batch {
            println!("finishing batch {batch}, which holds it");
            finish(self.recovery, batch, None).await?;
        }
        let stands = self.stands().await?;
        if self.is_made(&stands, through).await? {
            println!("the offsets to {through} are declared already");
            self.end(stands.next_offset).await?;
            return Ok(true);
        }
        let plan = self.plan(stands.next_offset, through).await?;
        print!("{plan}");
        let Some(batch) = self.write(&plan, taken.epoch).await? else {
            return Ok(false);
        };
        println!("done, as batch {batch}");
        self.end(through + 1).await?;
        if !plan.lost.is_empty() {
            println!(
                "The ledger shows the gap with the cause `lost`, and is not balanced any more."
            );
        }
        Ok(true)
    }

    async fn end(&self, next: i64) -> anyhow::Result<()> {
        let lane = self.lane;
        match self.then {
            Then::GoOn => {
                lanes::resume(self.pool(), lane, next).await?;
                println!("{lane} goes on at {next}; its owner takes it up within seconds.");
            }
            Then::Stand => {}
            Then::Retire => {
                retire_at(self.recovery, lane, next).await?;
            }
        }
        Ok(())
    }

    /// What would be declared.
    ///
    /// # Errors
    /// When `through` is not what may be declared, or a server does not answer.
    pub(super) async fn plan(&self, next: i64, through: i64) -> anyhow::Result<Plan> {
        let log_begins = match self.then {
            Then::GoOn => self.log_begins().await?,
            // what could still be read is given up
            Then::Stand | Then::Retire => through + 1,
        };
        let bounds = Bounds::look(self.recovery, self.lane, next, log_begins).await?;
        bounds.check(through)?;
        let store = self.recovery.writer.store();
        Ok(Plan::of(store, self.lane, &bounds, through, self.source.domain).await?)
    }

    async fn log_begins(&self) -> anyhow::Result<i64> {
        let (kafka, lane) = (self.config.kafka.clone(), self.lane.clone());
        let asking = tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = kafka.reader().create()?;
            bounds(&consumer, &lane)
        });
        let (low, _) = asking
            .await?
            .context("Kafka does not tell the bounds of the partition")?;
        Ok(low)
    }
}

/// Retires a lane that stands at `next`.
///
/// # Errors
/// When it stands there no more, or a batch has come to hold it.
pub(super) async fn retire_at(recovery: &Recovery, lane: &LaneId, next: i64) -> anyhow::Result<()> {
    let now = recovery.clock.now();
    let is_done = lanes::retire(&recovery.pool, now, lane, next, RETIRED).await?;
    ensure!(
        is_done,
        "{lane} was not retired, for it has moved: say it again"
    );
    Ok(())
}
