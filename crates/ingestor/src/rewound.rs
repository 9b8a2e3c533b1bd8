//! PostgreSQL has gone back: it failed over to an older state, or somebody set a lane back.
//!
//! ```text
//! ledger beyond a lane ─▶ alarm ─▶ end every attempt ─▶ store the batches again ─▶ recover each ─▶ look again
//! ```
//!
//! The ledger in ClickHouse is the first that is written of a batch and tells all that was promised about it. So a batch
//! of which anything may be there is known by it, and one recovery, which inserts what is not present and nothing else,
//! brings the lanes to where they were.
//!
//! What PostgreSQL forgot may still have members at work on it. Their attempts cannot be told by number, so all there
//! are are ended, those of healthy batches too, which recover. One case remains: a member that lost its lanes at the very
//! time, and whose batch ClickHouse had not heard of when its successor looked.

pub(crate) mod ledger;

use crate::{
    recover::{RecoverError, Recovery},
    stopped,
    write::WriteError,
};
use event_store::fence;
use ledger::Entry;
use metadata_store::{
    LaneId,
    batches::{self, Parked},
    lanes,
    lanes::Lane,
    rebuilt,
};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{error, info};
use uuid::Uuid;

/// Between two tries to get the turn.
const PAUSE: Duration = Duration::from_millis(200);
/// How long the turn is waited for, before the lanes are looked at anew: whoever has it may put them back as well.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a batch may take while nobody else has the turn. It is finished all the same, but without the turn.
const HELD: Duration = Duration::from_secs(30);

/// Why PostgreSQL cannot be brought to where ClickHouse is.
#[derive(Debug, thiserror::Error)]
pub enum RewoundError {
    /// The ledger says something that this version cannot read.
    #[error("cannot read {what} of batch {batch} in the ledger: {detail}")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// The batch.
        batch: Uuid,
        /// What is wrong with it.
        detail: String,
    },
    /// Every batch was recovered, and no lane has moved.
    #[error(
        "the ledger knows lanes further on than PostgreSQL, and their batches do not bring them there"
    )]
    NoProgress,
    /// Another member has the turn.
    #[error("another member puts back what PostgreSQL has forgotten; the lanes are looked at anew")]
    OthersTurn,
    /// The turn was given back before everything was put back.
    #[error(
        "batch {0}, which PostgreSQL had forgotten, is not finished within {seconds} s; others may put theirs back meanwhile",
        seconds = HELD.as_secs()
    )]
    Unfinished(Uuid),
}

/// Brings lanes that are `ours`, which no batch held, to where ClickHouse is, if it is further on. Returns them as they
/// stood when nothing was found beyond them: should one be set back right after, no batch opens on it where it stood.
///
/// # Errors
/// Whatever went wrong; what is done stays done, and the rest is found again.
pub(crate) async fn catch_up(
    recovery: &Recovery,
    ours: &[Lane],
) -> Result<Vec<Lane>, RecoverError> {
    let (lanes, behind) = look(recovery, ours).await?;
    if behind.is_empty() {
        return Ok(lanes);
    }
    recovery.meters.rewound.add(behind.len() as u64, &[]);
    for (lane, next, entries) in &behind {
        let last = entries.iter().map(|entry| entry.last).max();
        error!(
            lane = %lane, lane.next_offset = next, ledger.last_offset = last,
            "ClickHouse knows a lane further on than PostgreSQL, which has gone back; the difference is recovered"
        );
    }
    let _turn = turn(recovery).await?;
    fence::end_all(recovery.writer.store())
        .await
        .map_err(WriteError::from)?;
    let mut standing = None;
    loop {
        let (lanes, behind) = look(recovery, ours).await?;
        if behind.is_empty() {
            return Ok(lanes);
        }
        let now: Vec<i64> = behind.iter().map(|(_, next, _)| *next).collect();
        if standing.replace(now.clone()) == Some(now) {
            return Err(RewoundError::NoProgress.into());
        }
        put_back(recovery, &behind).await?;
    }
}

/// Lanes that the ledger knows further on: where they stand, and the ledger from there on.
type Behind = Vec<(LaneId, i64, Vec<Entry>)>;

/// The lanes as they stand, and those of them that the ledger knows further on.
async fn look(recovery: &Recovery, ours: &[Lane]) -> Result<(Vec<Lane>, Behind), RecoverError> {
    let store = recovery.writer.store();
    let mut lanes = stored(recovery, ours).await?;
    let mut found = Vec::new();
    // a stopped lane is not read; whoever lets it go on has it taken over again
    for (index, lane) in lanes.iter().enumerate() {
        if lane.stopped_reason.is_none() {
            let entries = ledger::beyond(store, &lane.id(), lane.next_offset)
                .await
                .map_err(WriteError::from)?;
            if entries.is_empty() {
                continue;
            }
            let parked = batches::parked(&recovery.pool, &lane.id(), lane.next_offset).await?;
            let entries = ledger::valid(&entries, &parked);
            found.extend(
                entries
                    .first()
                    .copied()
                    .map(|first| (index, first, parked, entries)),
            );
        }
    }
    if found.is_empty() {
        return Ok((lanes, Vec::new()));
    }
    // what is beyond a lane that another member has taken over meanwhile is what that member wrote
    let now = stored(recovery, ours).await?;
    let mut behind = Vec::new();
    for (index, first, parked, entries) in found {
        let lane = lanes.get_mut(index);
        let Some(lane) = lane.filter(|lane| is_one_of(lane, ours) && is_one_of(lane, &now)) else {
            continue;
        };
        if first.first > lane.next_offset {
            lane.stopped_reason = Some(stop_before_a_hole(recovery, lane, &first).await?);
        } else if let Some(last) = last_too_old(recovery, lane, &entries).await? {
            lane.stopped_reason =
                Some(stop_before_the_old(recovery, lane, &first, &parked, last).await?);
        } else {
            behind.push((lane.id(), lane.next_offset, entries));
        }
    }
    Ok((lanes, behind))
}

async fn stored(recovery: &Recovery, ours: &[Lane]) -> Result<Vec<Lane>, RecoverError> {
    let mut lanes = lanes::all(&recovery.pool).await?;
    lanes.retain(|lane| ours.iter().any(|ours| ours.id() == lane.id()));
    Ok(lanes)
}

/// Whether the lane is among these under the same epoch.
fn is_one_of(lane: &Lane, lanes: &[Lane]) -> bool {
    let mut lanes = lanes.iter();
    lanes.any(|other| other.id() == lane.id() && other.epoch == lane.epoch)
}

/// Reading on would reach offsets that were written before.
async fn stop_before_a_hole(
    recovery: &Recovery,
    lane: &Lane,
    found: &Entry,
) -> Result<String, RecoverError> {
    let reason = stopped::reason(&format!(
        "the ledger tells nothing about offsets from {} to {}, and something about later ones",
        lane.next_offset,
        found.first - 1
    ));
    stopped::stop(&recovery.pool, &lane.id(), lane.epoch, &reason).await?;
    Ok(reason)
}

/// The last offset of the lane that the ledger tells of and that is too old to be put back, if the next ones are.
async fn last_too_old(
    recovery: &Recovery,
    lane: &Lane,
    entries: &[Entry],
) -> Result<Option<i64>, RecoverError> {
    let oldest = recovery.told_since().await?;
    if (entries.iter()).all(|entry| entry.decided_at >= oldest.timestamp_millis()) {
        return Ok(None);
    }
    let store = recovery.writer.store();
    let last = ledger::last_before(store, &lane.id(), lane.next_offset, oldest).await;
    Ok(Some(last.map_err(WriteError::from)?))
}

/// What is there of these offsets would look missing, and be written twice.
async fn stop_before_the_old(
    recovery: &Recovery,
    lane: &Lane,
    first: &Entry,
    parked: &[Parked],
    last: i64,
) -> Result<String, RecoverError> {
    let reason = match first.is_parked(parked) {
        true => stopped::untold(first.batch, first.first, first.last),
        false => stopped::too_far_back(lane.next_offset, last, "`ingestor lanes resume`"),
    };
    stopped::stop(&recovery.pool, &lane.id(), lane.epoch, &reason).await?;
    Ok(reason)
}

/// Stores the batches again and finishes them, in the order in which they were made.
async fn put_back(recovery: &Recovery, behind: &Behind) -> Result<(), RecoverError> {
    let entries = behind.iter().flat_map(|(_, _, entries)| entries);
    let mut batches: Vec<(i64, Uuid)> = entries
        .map(|entry| (entry.decided_at, entry.batch))
        .collect();
    batches.sort_unstable();
    batches.dedup();
    batches.truncate(ledger::BATCHES_AT_ONCE);
    let ids: Vec<Uuid> = batches.iter().map(|(_, batch)| *batch).collect();
    for batch in ledger::batches(recovery.writer.store(), &ids).await? {
        info!(batch.id = %batch.id, "storing a batch again that PostgreSQL does not know for open");
        rebuilt::store(&recovery.pool, recovery.clock.now(), &batch).await?;
        let finishing = tokio::time::timeout(HELD, recovery.finish(batch.id, None));
        finishing
            .await
            .map_err(|_| RewoundError::Unfinished(batch.id))??;
    }
    Ok(())
}

async fn turn(recovery: &Recovery) -> Result<rebuilt::Turn, RecoverError> {
    let asked = Instant::now();
    loop {
        if let Some(turn) = rebuilt::take_turn(&recovery.pool).await? {
            return Ok(turn);
        }
        if asked.elapsed() >= PATIENCE {
            return Err(RewoundError::OthersTurn.into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
