//! Retiring lanes whose topic or partition is gone for good. Nothing waits for them any more: neither what is complete,
//! nor the facts that wait for what they could still have told.

use super::{
    Selection,
    declaration::{Declaration, Then, retire_at},
    finish::finish,
};
use crate::{
    config::Config,
    kafka::{bounds, existence},
    recover::Recovery,
};
use anyhow::{Context, bail, ensure};
use metadata_store::{LaneId, batches, lanes, lanes::Lane};
use rdkafka::consumer::BaseConsumer;
use std::{collections::BTreeMap, fmt, sync::Arc};
use uuid::Uuid;

/// Why a lane cannot be retired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    /// Some of its offsets are being written.
    #[error("batch {0} holds it: the member that has it, or takes its lanes over, finishes it")]
    Held(Uuid),
    /// The same, and nobody takes the lane over any more.
    #[error(
        "batch {0} holds it: the member that has it, or takes over another of its lanes, finishes it; where nobody does, say with --force that what cannot be read any more is given up"
    )]
    HeldAndGone(Uuid),
    /// It could be read.
    #[error(
        "Kafka has it: delete it there first, or say with --force that what is unread, and what comes, is given up"
    )]
    Alive,
    /// Not all of it was read.
    #[error(
        "{0} offsets from {1} on were not read: say with --force that they are given up, which the ledger then shows as lost"
    )]
    Unread(i64, i64),
}

/// A lane that may be retired.
struct Candidate {
    lane: Lane,
    /// Whether Kafka has it.
    is_alive: bool,
    /// The offset behind the last one that is known of.
    end: i64,
}

impl Candidate {
    fn unread(&self) -> i64 {
        (self.end - self.lane.next_offset).max(0)
    }

    fn check(&self, force: bool) -> Result<(), Refusal> {
        match (self.lane.open_batch, self.unread()) {
            (Some(batch), _) if self.is_alive => Err(Refusal::Held(batch)),
            (Some(batch), _) if !force => Err(Refusal::HeldAndGone(batch)),
            (_, _) if force => Ok(()),
            (_, _) if self.is_alive => Err(Refusal::Alive),
            (_, 0) => Ok(()),
            (_, unread) => Err(Refusal::Unread(unread, self.lane.next_offset)),
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, next) = (self.lane.id(), self.lane.next_offset);
        write!(f, "{id}, which stands at {next}, is retired.")?;
        if self.is_alive {
            write!(f, " Kafka has it: what comes is not read.")?;
        }
        if let Some(batch) = self.lane.open_batch {
            write!(f, " Batch {batch}, which holds it, is finished first.")?;
        }
        match self.unread() {
            0 => Ok(()),
            _ => write!(
                f,
                " What has no verdict of the offsets {next} to {} is given up, and the ledger shows it as lost.",
                self.end - 1
            ),
        }
    }
}

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
        retiring.retire(&id).await.with_context(told)?;
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
        if candidate.unread() > 0 && candidate.lane.open_batch.is_none() {
            let id = candidate.lane.id();
            let declaration = self.declaration(&id)?;
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
        let end = alive.or(known).unwrap_or(lane.next_offset);
        Ok(Candidate {
            is_alive: alive.is_some(),
            end,
            lane,
        })
    }

    fn declaration<'b>(&'b self, lane: &'b LaneId) -> anyhow::Result<Declaration<'b>> {
        Declaration::new(self.config, self.recovery, lane, Then::Retire)
    }

    async fn retire(&self, id: &LaneId) -> anyhow::Result<()> {
        let lane = self.freed(id).await?;
        let candidate = self.candidate(lane).await?;
        let next = candidate.lane.next_offset;
        match candidate.unread() {
            0 => retire_at(self.recovery, id, next).await?,
            _ => self.declaration(id)?.make(candidate.end - 1).await?,
        }
        println!("{id} is retired at {}", next + candidate.unread());
        Ok(())
    }

    /// The lane without the batch that holds it, which may have no lane that a member could take over.
    async fn freed(&self, id: &LaneId) -> anyhow::Result<Lane> {
        let stands = async || {
            let lane = lanes::find(&self.recovery.pool, id).await?;
            lane.context("the lane is gone")
        };
        let lane = stands().await?;
        match lane.open_batch {
            Some(batch) if !self.ends.contains_key(&id.partition) => {
                println!("finishing batch {batch}, which holds {id}");
                finish(self.recovery, batch, None).await?;
                stands().await
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

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(is_alive: bool, end: i64, open_batch: Option<Uuid>) -> Candidate {
        Candidate {
            lane: Lane {
                topic: "trip".to_owned(),
                partition: 0,
                first_offset: 0,
                next_offset: 10,
                epoch: 1,
                owner: None,
                open_batch,
                end_offset: None,
                complete_through: None,
                heartbeat_at: None,
                stopped_reason: None,
                retired_at: None,
            },
            is_alive,
            end,
        }
    }

    #[test]
    fn a_lane_that_is_gone_and_was_read_to_its_end_is_retired() {
        assert_eq!(candidate(false, 10, None).check(false), Ok(()));
    }

    #[test]
    fn what_is_alive_or_unread_must_be_given_up_expressly() {
        let alive = candidate(true, 10, None);
        assert_eq!(alive.check(false), Err(Refusal::Alive));
        assert_eq!(alive.check(true), Ok(()));
        let unread = candidate(false, 12, None);
        assert_eq!(unread.check(false), Err(Refusal::Unread(2, 10)));
        assert_eq!(unread.check(true), Ok(()));
    }

    #[test]
    fn a_batch_that_holds_it_is_finished_first() {
        let held = candidate(true, 10, Some(Uuid::nil()));
        assert_eq!(held.check(true), Err(Refusal::Held(Uuid::nil())));
        let gone = candidate(false, 10, Some(Uuid::nil()));
        assert_eq!(gone.check(false), Err(Refusal::HeldAndGone(Uuid::nil())));
        assert_eq!(gone.check(true), Ok(()));
        assert!(gone.to_string().contains("is finished first"), "{gone}");
    }
}
