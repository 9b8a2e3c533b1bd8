//! Retiring lanes whose topic or partition is gone for good. Nothing waits for them any more: neither what is complete,
//! nor the facts that wait for what they could still have told.

use super::{
    Selection,
    declaration::{Declaration, Then},
};
use crate::{config::Config, kafka::existence, stopped::RETIRED};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use metadata_store::{LaneId, Pool, batches, lanes, lanes::Lane};
use rdkafka::consumer::{BaseConsumer, Consumer};
use service_runtime::clock::{Clock, SystemClock};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

const KAFKA_TIMEOUT: Duration = Duration::from_secs(15);

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
            (Some(batch), _) => Err(Refusal::HeldAndGone(batch)),
            (None, _) if force => Ok(()),
            (None, _) if self.is_alive => Err(Refusal::Alive),
            (None, 0) => Ok(()),
            (None, unread) => Err(Refusal::Unread(unread, self.lane.next_offset)),
        }
    }
}

/// Retires the selected lanes, all or none.
pub(super) async fn run(config: &Config, selection: &Selection, force: bool) -> anyhow::Result<()> {
    let pool = Pool::new(&config.postgres)?;
    let all = lanes::all(&pool).await?;
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
    let ends = match selected.first() {
        Some(lane) => ends(config, lane.topic.clone()).await?,
        None => BTreeMap::new(),
    };
    let mut candidates = Vec::new();
    for lane in selected {
        let lane = match force && !ends.contains_key(&lane.partition) {
            true => freed(config, &pool, lane).await?,
            false => lane,
        };
        candidates.push(candidate(&pool, &ends, lane).await?);
    }
    let refused: Vec<String> = candidates
        .iter()
        .filter_map(|candidate| {
            let refusal = candidate.check(force).err()?;
            Some(format!("{}: {refusal}", candidate.lane.id()))
        })
        .collect();
    if !refused.is_empty() {
        bail!("nothing was changed. {}", refused.join("\n"));
    }
    for candidate in &candidates {
        retire(config, &pool, candidate).await?;
    }
    Ok(())
}

/// The lane without the batch that holds it, which may have no lane that a member could take over.
async fn freed(config: &Config, pool: &Pool, lane: Lane) -> anyhow::Result<Lane> {
    let id = lane.id();
    let stands = lanes::find(pool, &id).await?.context("the lane is gone")?;
    let Some(batch) = stands.open_batch else {
        return Ok(stands);
    };
    println!("finishing batch {batch}, which holds {id}");
    let declaration = Declaration::new(config, &id, Then::Retire)?;
    declaration.finish(batch, None).await?;
    lanes::find(pool, &id).await?.context("the lane is gone")
}

async fn candidate(
    pool: &Pool,
    ends: &BTreeMap<i32, i64>,
    lane: Lane,
) -> anyhow::Result<Candidate> {
    let parked = batches::parked(pool, &lane.id(), lane.next_offset).await?;
    let known = parked.iter().map(|parked| parked.hi + 1);
    let known = known.chain(lane.end_offset).max();
    let alive = ends.get(&lane.partition).copied();
    let end = alive.or(known).unwrap_or(lane.next_offset);
    Ok(Candidate {
        is_alive: alive.is_some(),
        end,
        lane,
    })
}

/// Kafka's end of every partition of a topic that it has.
async fn ends(config: &Config, topic: String) -> anyhow::Result<BTreeMap<i32, i64>> {
    let kafka = config.kafka.clone();
    let asking = tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer = kafka.reader().create()?;
        let partitions = existence::partitions_of(&consumer, &topic)
            .context("Kafka does not tell about the topic")?;
        let end = |partition| {
            let bounds = consumer.fetch_watermarks(&topic, partition, KAFKA_TIMEOUT);
            let (_, high) = bounds.context("Kafka does not tell the bounds of the partition")?;
            Ok((partition, high))
        };
        partitions.into_iter().map(end).collect()
    });
    asking.await?
}

async fn retire(config: &Config, pool: &Pool, candidate: &Candidate) -> anyhow::Result<()> {
    let id = candidate.lane.id();
    if candidate.unread() > 0 {
        let declaration = Declaration::new(config, &id, Then::Retire)?;
        declaration.make(candidate.end - 1).await?;
    } else {
        retire_at(pool, SystemClock.now(), &id, candidate.lane.next_offset).await?;
    }
    println!(
        "{id} is retired at {}",
        candidate.lane.next_offset + candidate.unread()
    );
    Ok(())
}

/// Retires a lane that stands at `next`.
///
/// # Errors
/// When it stands there no more, or a batch has come to hold it.
pub(super) async fn retire_at(
    pool: &Pool,
    now: DateTime<Utc>,
    lane: &LaneId,
    next: i64,
) -> anyhow::Result<()> {
    let is_done = lanes::retire(pool, now, lane, next, RETIRED).await?;
    ensure!(
        is_done,
        "{lane} was not retired, for it has moved: say it again"
    );
    Ok(())
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
        assert_eq!(gone.check(true), Err(Refusal::HeldAndGone(Uuid::nil())));
    }
}
