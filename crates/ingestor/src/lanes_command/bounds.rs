//! Which offsets of a stopped lane may be declared lost.

use super::stored;
use crate::{recover::Recovery, rewound::ledger, stopped};
use metadata_store::{
    LaneId,
    batches::{self, Parked},
};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// A range of offsets that the ledger tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Its batch.
    pub(super) batch: Uuid,
    /// First offset.
    pub(super) first: i64,
    /// Last offset.
    pub(super) last: i64,
    /// Whether ClickHouse cannot tell any more what is there of it.
    pub(super) is_old: bool,
}

/// Why nothing may be declared lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// PostgreSQL has gone back.
    #[error(
        "ClickHouse has offset {next} from batch {batch}: nothing is lost there, `ingestor lanes resume` recovers it"
    )]
    IsWritten {
        /// The lane's next offset.
        next: i64,
        /// Who wrote it.
        batch: Uuid,
    },
    /// PostgreSQL has gone back so far that this cannot be put back.
    #[error(
        "{}; nothing of that can be declared lost",
        stopped::too_far_back(*next, *last, "`ingestor lanes resume`")
    )]
    TooFarBack {
        /// The lane's next offset.
        next: i64,
        /// The last one that cannot be put back.
        last: i64,
    },
    /// The log has them all.
    #[error(
        "nothing is known to be lost from offset {next} on: the log begins at {log_begins} and can be read; see `ingestor lanes resume`"
    )]
    NothingIsLost {
        /// The lane's next offset.
        next: i64,
        /// The log's first offset.
        log_begins: i64,
    },
    /// Another end of the range must be chosen.
    #[error(
        "the last lost offset must be one of {least} to {most}: what follows can still be read or is written, and a range that was written in part is declared whole"
    )]
    Through {
        /// The least that is allowed.
        least: i64,
        /// The greatest that is allowed.
        most: i64,
    },
}

/// What is known of a lane from its next offset on.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    /// The lane's next offset.
    pub(super) next: i64,
    /// The log's first offset.
    pub(super) log_begins: i64,
    /// Ranges that no longer read as they were stored.
    pub(super) parked: Vec<Parked>,
    /// What the ledger tells from the next offset on, up to a number of ranges.
    pub(super) written: Vec<Written>,
    /// The last offset that cannot be put back any more, if one of what is forgotten cannot.
    pub(super) last_old: Option<i64>,
}

impl Bounds {
    /// Looks what is known of a lane whose log begins at `log_begins`.
    pub(super) async fn look(
        recovery: &Recovery,
        lane: &LaneId,
        next: i64,
        log_begins: i64,
    ) -> anyhow::Result<Self> {
        let (store, since) = (recovery.writer.store(), recovery.told_since().await?);
        let mut bounds = Self {
            next,
            log_begins,
            parked: batches::parked(&recovery.pool, lane, next).await?,
            written: stored::written(store, lane, next, since).await?,
            last_old: None,
        };
        if bounds.forgotten().any(|written| written.is_old) {
            bounds.last_old = Some(ledger::last_before(store, lane, next, since).await?);
        }
        Ok(bounds)
    }

    /// Whether the range was given up by its batch.
    pub(super) fn is_parked(&self, written: &Written) -> bool {
        let mut parked = self.parked.iter();
        parked.any(|parked| parked.is_of(written.batch, written.first))
    }

    /// What the ledger tells and PostgreSQL has forgotten.
    pub(super) fn forgotten(&self) -> impl Iterator<Item = &Written> {
        self.written
            .iter()
            .filter(|written| !self.is_parked(written))
    }

    /// The offsets of which one may be the last that is lost.
    ///
    /// What the log still has is not lost, except in a parked range: what the log has there now is something else, or it
    /// is written in part and may not be read again. And what a healthy batch wrote is not lost at all.
    pub(super) fn through(&self) -> Result<RangeInclusive<i64>, Refusal> {
        let next = self.next;
        let healthy = self.forgotten().next();
        if let Some(written) = healthy.filter(|written| written.first <= next) {
            let batch = written.batch;
            let refusal = match self.last_old {
                Some(last) => Refusal::TooFarBack { next, last },
                None => Refusal::IsWritten { next, batch },
            };
            return Err(refusal);
        }
        let in_part = self
            .written
            .iter()
            .take_while(|written| self.is_parked(written));
        let least = in_part.map(|written| written.last).fold(next, i64::max);
        let parked = self.parked.iter().map(|parked| parked.hi);
        let unreadable = parked.fold(self.log_begins - 1, i64::max);
        // offsets that nothing is known about, before some that are written, cannot be read without reaching those
        let most = healthy.map_or(unreadable, |written| written.first - 1);
        if most < least {
            let log_begins = self.log_begins;
            return Err(Refusal::NothingIsLost { next, log_begins });
        }
        Ok(least..=most)
    }

    /// Refuses a last offset that is not one of [`through`](Self::through).
    pub(super) fn check(&self, through: i64) -> Result<(), Refusal> {
        let allowed = self.through()?;
        let (least, most) = (*allowed.start(), *allowed.end());
        if allowed.contains(&through) {
            Ok(())
        } else {
            Err(Refusal::Through { least, most })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn bounds(next: i64, log_begins: i64) -> Bounds {
        Bounds {
            next,
            log_begins,
            ..Bounds::default()
        }
    }

    fn parked(lo: i64, hi: i64) -> Vec<Parked> {
        vec![Parked {
            batch: BATCH,
            lo,
            hi,
        }]
    }

    fn written(batch: Uuid, first: i64, last: i64) -> Written {
        Written {
            batch,
            first,
            last,
            is_old: false,
        }
    }

    #[test]
    fn what_was_deleted_before_it_was_read_is_lost_and_nothing_else() {
        assert_eq!(bounds(5, 9).through(), Ok(5..=8));
        assert_eq!(bounds(5, 9).check(8), Ok(()));
        let refused = Refusal::Through { least: 5, most: 8 };
        assert_eq!(bounds(5, 9).check(9), Err(refused.clone()));
        assert_eq!(bounds(5, 9).check(4), Err(refused));
    }

    #[test]
    fn nothing_is_lost_of_a_log_that_is_all_there() {
        let refusal = Refusal::NothingIsLost {
            next: 5,
            log_begins: 5,
        };
        assert_eq!(bounds(5, 5).through(), Err(refusal));
    }

    #[test]
    fn a_parked_range_of_which_nothing_was_written_may_be_lost_in_part() {
        let bounds = Bounds {
            parked: parked(5, 20),
            ..bounds(5, 9)
        };
        assert_eq!(bounds.through(), Ok(5..=20));
    }

    #[test]
    fn a_parked_range_that_was_written_in_part_is_lost_as_a_whole() {
        let bounds = Bounds {
            parked: parked(5, 20),
            written: vec![written(BATCH, 5, 20)],
            ..bounds(5, 9)
        };
        assert_eq!(bounds.through(), Ok(20..=20));
    }

    #[test]
    fn parked_ranges_behind_a_healthy_one_are_decided_about_later() {
        let mut parked_ones = parked(5, 20);
        parked_ones.extend(parked(31, 40));
        let bounds = Bounds {
            parked: parked_ones,
            written: vec![
                written(BATCH, 5, 20),
                written(OTHER, 21, 30),
                written(BATCH, 31, 40),
            ],
            ..bounds(5, 50)
        };
        assert_eq!(bounds.through(), Ok(20..=20));
    }

    #[test]
    fn a_hole_before_written_offsets_ends_before_them() {
        let bounds = Bounds {
            written: vec![written(OTHER, 12, 30)],
            ..bounds(5, 0)
        };
        assert_eq!(bounds.through(), Ok(5..=11));
    }

    #[test]
    fn what_is_written_is_not_lost() {
        let bounds = Bounds {
            written: vec![written(OTHER, 5, 30)],
            ..bounds(5, 40)
        };
        let refusal = Refusal::IsWritten {
            next: 5,
            batch: OTHER,
        };
        assert_eq!(bounds.through(), Err(refusal));
    }

    #[test]
    fn what_is_written_and_too_old_to_be_put_back_is_not_told_to_be_safe() {
        let old = Written {
            is_old: true,
            ..written(OTHER, 5, 30)
        };
        let bounds = Bounds {
            written: vec![old, written(OTHER, 31, 40)],
            last_old: Some(30),
            ..bounds(5, 50)
        };
        let refusal = bounds.through().unwrap_err();
        assert_eq!(refusal, Refusal::TooFarBack { next: 5, last: 30 });
        assert!(
            refusal.to_string().contains("ingest_lane to 31"),
            "{refusal}"
        );
    }
}
