//! Whether a lane may be retired, and what that does.

use crate::{lanes_command::forgotten::Forgotten, stopped};
use metadata_store::lanes::Lane;
use std::fmt;
use uuid::Uuid;

/// Why a lane cannot be retired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
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
    /// It was written further than is known of it.
    #[error(
        "PostgreSQL has gone back, and the ledger tells of it to offset {0}: say with --force that this is put back, and that what has no verdict of it is given up, for it can be read no more"
    )]
    Forgotten(i64),
    /// The same, and it cannot be put back any more.
    #[error("{}", stopped::too_far_back(*next, *last, "this again"))]
    TooFarBack {
        /// The lane's next offset.
        next: i64,
        /// The last one that cannot be put back.
        last: i64,
    },
}

/// A lane that may be retired.
pub(super) struct Candidate {
    pub(super) lane: Lane,
    /// Whether Kafka has it.
    pub(super) is_alive: bool,
    /// The offset behind the last one that is known of.
    pub(super) end: i64,
    /// What was written and is not known of, where PostgreSQL has gone back.
    pub(super) forgotten: Option<Forgotten>,
}

impl Candidate {
    pub(super) fn unread(&self) -> i64 {
        (self.end - self.lane.next_offset).max(0)
    }

    pub(super) fn check(&self, force: bool) -> Result<(), Refusal> {
        match self.forgotten {
            Some(Forgotten {
                last_old: Some(last),
                ..
            }) => {
                let next = self.lane.next_offset;
                return Err(Refusal::TooFarBack { next, last });
            }
            Some(Forgotten { last, .. }) if !force => return Err(Refusal::Forgotten(last)),
            _ => {}
        }
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
        if let Some(Forgotten { last, .. }) = self.forgotten {
            write!(
                f,
                " PostgreSQL has gone back, and what the ledger tells of it to offset {last} is put back first."
            )?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use metadata_store::LaneId;

    fn candidate(is_alive: bool, end: i64, open_batch: Option<Uuid>) -> Candidate {
        let id = LaneId {
            topic: "trip".to_owned(),
            partition: 0,
        };
        Candidate {
            lane: Lane {
                open_batch,
                ..Lane::new(id, 10)
            },
            is_alive,
            end,
            forgotten: None,
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
    fn what_was_forgotten_of_it_must_be_given_up_expressly() {
        let forgotten = Candidate {
            forgotten: Some(Forgotten {
                first: 10,
                last: 19,
                last_old: None,
            }),
            ..candidate(false, 10, None)
        };
        assert_eq!(forgotten.check(false), Err(Refusal::Forgotten(19)));
        assert_eq!(forgotten.check(true), Ok(()));
        let old = Candidate {
            forgotten: Some(Forgotten {
                first: 10,
                last: 19,
                last_old: Some(15),
            }),
            ..forgotten
        };
        let refusal = Refusal::TooFarBack { next: 10, last: 15 };
        assert_eq!(old.check(true), Err(refusal));
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
