//! Retiring lanes whose topic or partition is gone for good. Nothing waits for them any more: neither what is complete,
//! nor the facts that wait for what they could still have told.

mod candidate;

use super::{
    Selection,
    declaration::{Declaration, Then, retire_at},
    finish::finish,
    forgotten,
};
use crate::{
    config::Config,
    kafka::{bounds, existence},
    recover::Recovery,
};
use anyhow::{Context, bail, ensure};
use candidate::Candidate;
use metadata_store::{LaneId, batches, lanes, lanes::Lane};
use rdkafka::consumer::BaseConsumer;
use std::{collections::BTreeMap, sync::Arc};

/// What a command is about.
struct Retiring<'a> {
    config: &'a Config,
    recovery: &'a Recovery,
    /// Kafka's end of every partition of the topic that it has.
    ends: BTreeMap<i32, i64>,
}

/// Retires the selected lanes, one after the other. Without `yes`, it is only said what would be done.
pub(super) async fn run(
    config: &Config,
    selection: &Selection,
    force: bool,
    yes: bool,
) -> anyhow::Result<()> {
    let recovery = &Recovery::connect(config, &Arc::default())?;
    let all = lanes::all(&recovery.pool).await?;
    let selected: Vec<Lane> = all.into_iter().filter(|lane| selection.has(lane)).collect();
    ensure!(
        !selected.is_empty(),
        "{selection} is not known: see `ingestor lanes list`"
    );
    let (retired, selected): (Vec<Lane>, Vec<Lane>) =
        selected.into_iter().partition(Lane::is_retired);
    for lane in retired {
        println!("{} is retired already", lane.id());
    }
    let Some(lane) = selected.first() else {
        return Ok(());
    };
    let ends = ends(config, lane.topic.clone()).await?;
    let retiring = Retiring {
        config,
        recovery,
        ends,
    };
    retiring.look(&selected, force, yes).await?;
    ensure!(yes, "nothing was changed: to do it, add --yes");
    for lane in selected {
        let id = lane.id();
        let told = || format!("{id} is not retired; what is told above was done");
        retiring.retire(&id, force).await.with_context(told)?;
    }
    Ok(())
}

impl Retiring<'_> {
    /// Says what is about to be done, and changes nothing.
    ///
    /// # Errors
    /// When a lane may not be retired.
    async fn look(&self, selected: &[Lane], force: bool, yes: bool) -> anyhow::Result<()> {
        let mut refused = Vec::new();
        for lane in selected {
            let candidate = self.candidate(lane.clone()).await?;
            match candidate.check(force) {
                Ok(()) => println!("{candidate}"),
                Err(refusal) => refused.push(format!("{}: {refusal}", lane.id())),
            }
            if refused.is_empty() && !yes {
                self.show_plan(&candidate).await?;
            }
        }
        if !refused.is_empty() {
            bail!("nothing was changed. {}", refused.join("\n"));
        }
        Ok(())
    }

    /// What would be lost. What a batch that holds the lane will have written of it is not known before it is finished.
    async fn show_plan(&self, candidate: &Candidate) -> anyhow::Result<()> {
        let is_known = candidate.lane.open_batch.is_none() && candidate.forgotten.is_none();
        if candidate.unread() > 0 && is_known {
            let id = candidate.lane.id();
            let declaration = self.declaration(&id, Then::Retire)?;
            let next = candidate.lane.next_offset;
            print!("{}", declaration.plan(next, candidate.end - 1).await?);
        }
        Ok(())
    }

    async fn candidate(&self, lane: Lane) -> anyhow::Result<Candidate> {
        let parked = batches::parked(&self.recovery.pool, &lane.id(), lane.next_offset).await?;
        let known = parked.iter().map(|parked| parked.hi + 1);
        let known = known.chain(lane.end_offset).max();
        let alive = self.ends.get(&lane.partition).copied();
        // the log of a topic that was made anew ends before the old one did
        let end = alive.into_iter().chain(known).max();
        let end = end.unwrap_or(lane.next_offset);
        let forgotten = match alive {
            // the member that has it puts it back
            Some(end) if end >= lane.next_offset => None,
            _ => forgotten::look(self.recovery, &lane).await?,
        };
        Ok(Candidate {
            is_alive: alive.is_some(),
            end,
            forgotten,
            lane,
        })
    }

    fn declaration<'b>(&'b self, lane: &'b LaneId, then: Then) -> anyhow::Result<Declaration<'b>> {
        Declaration::new(self.config, self.recovery, lane, then)
    }

    async fn retire(&self, id: &LaneId, force: bool) -> anyhow::Result<()> {
        // a member may have gone on since it was looked at
        self.candidate(self.stands(id).await?).await?.check(force)?;
        let mut candidate = self.candidate(self.freed(id).await?).await?;
        while candidate.forgotten.is_some() {
            let next = candidate.lane.next_offset;
            println!("putting back what PostgreSQL has forgotten of {id} from offset {next} on");
            forgotten::put_back(self.recovery, &candidate.lane).await?;
            candidate = self.candidate(self.freed(id).await?).await?;
            candidate.check(force)?;
            if let Some(rest) = candidate.forgotten {
                // it is put back once the lane stands before it
                let declaration = self.declaration(id, Then::Stand)?;
                declaration.make(rest.first - 1).await?;
                candidate = self.candidate(self.freed(id).await?).await?;
            }
        }
        candidate.check(force)?;
        let next = candidate.lane.next_offset;
        match candidate.unread() {
            0 => retire_at(self.recovery, id, next).await?,
            _ => {
                let declaration = self.declaration(id, Then::Retire)?;
                declaration.make(candidate.end - 1).await?;
            }
        }
        println!("{id} is retired at {}", next + candidate.unread());
        Ok(())
    }

    async fn stands(&self, id: &LaneId) -> anyhow::Result<Lane> {
        let lane = lanes::find(&self.recovery.pool, id).await?;
        lane.context("the lane is gone")
    }

    /// The lane without the batch that holds it, which may have no lane that a member could take over.
    async fn freed(&self, id: &LaneId) -> anyhow::Result<Lane> {
        let lane = self.stands(id).await?;
        match lane.open_batch {
            Some(batch) if !self.ends.contains_key(&id.partition) => {
                println!("finishing batch {batch}, which holds {id}");
                finish(self.recovery, batch, None).await?;
                self.stands(id).await
            }
            _ => Ok(lane),
        }
    }
}

/// Kafka's end of every partition of a topic that it has.
async fn ends(config: &Config, topic: String) -> anyhow::Result<BTreeMap<i32, i64>> {
    let kafka = config.kafka.clone();
    let asking = tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer = kafka.reader().create()?;
        let partitions = existence::partitions_of(&consumer, &topic)
            .context("Kafka does not tell about the topic")?;
        let end = |partition| {
            let topic = topic.clone();
            let (_, high) = bounds(&consumer, &LaneId { topic, partition })
                .context("Kafka does not tell the bounds of the partition")?;
            Ok((partition, high))
        };
        partitions.into_iter().map(end).collect()
    });
    asking.await?
}
