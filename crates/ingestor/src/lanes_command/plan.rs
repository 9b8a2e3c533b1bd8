//! What a declaration would do, and what is to be said about it.

use super::{
    bounds::Bounds,
    stored::{self, Offsets},
};
use event_store::{Store, StoreError};
use metadata_store::{LaneId, batches::Gap};
use shared_schema::{Domain, GapCause};
use std::fmt;
use uuid::Uuid;

/// Ranges that are shown one by one.
const SHOWN: usize = 10;

/// A declaration that has not been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) lane: LaneId,
    /// The lane's next offset.
    pub(super) next: i64,
    /// The last offset that the lane goes on behind.
    pub(super) through: i64,
    /// The offsets without a verdict.
    pub(super) lost: Vec<(i64, i64)>,
    /// Batches that had begun to write the range, whose ledger tells more than is stored.
    pub(super) in_part: Vec<Uuid>,
    /// Whether one of them is so old that its part of the aggregates is not known.
    is_untold: bool,
    /// Rows of the range, by table.
    rows: Vec<(String, u64)>,
    domain: Domain,
}

impl Plan {
    /// Looks what is stored between the lane's next offset and `through`.
    pub(super) async fn of(
        store: &Store,
        lane: &LaneId,
        bounds: &Bounds,
        through: i64,
        domain: Domain,
    ) -> Result<Self, StoreError> {
        let (lo, hi) = (bounds.next, through);
        let offsets = Offsets { lane, lo, hi };
        let verdicts = stored::verdicts(store, &offsets).await?;
        let parked = || {
            let written = bounds.written.iter();
            written.filter(|written| bounds.is_parked(written))
        };
        Ok(Self {
            lane: lane.clone(),
            next: lo,
            through,
            lost: stored::without(lo, hi, &verdicts),
            in_part: parked().map(|written| written.batch).collect(),
            is_untold: parked().any(|written| written.is_old),
            rows: stored::rows(store, &offsets).await?,
            domain,
        })
    }

    /// The gaps that the declaration makes.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let gap = |&(lo, hi): &(i64, i64)| Gap {
            lo,
            hi,
            cause: GapCause::Lost.to_string(),
        };
        self.lost.iter().map(gap).collect()
    }

    fn rows_in(&self, table: &str) -> u64 {
        let mut rows = self.rows.iter();
        rows.find(|(name, _)| name == table)
            .map_or(0, |(_, rows)| *rows)
    }

    /// Whether some tables may have rows that others have not.
    fn is_uneven(&self) -> bool {
        let typed = self.rows_in(self.domain.events_table());
        let is_cut = !(self.in_part.is_empty() || self.lost.is_empty());
        self.is_untold || is_cut || typed != self.rows_in("events_raw")
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |ranges: &[(i64, i64)]| ranges.iter().map(|(lo, hi)| hi - lo + 1).sum::<i64>();
        let all = count(&[(self.next, self.through)]);
        let lost = count(&self.lost);
        let (lane, next, through) = (&self.lane, self.next, self.through);
        writeln!(f, "{lane}: offsets {next} to {through}, {all} in all")?;
        match lost {
            0 => writeln!(f, "  lost: none, every one has its verdict")?,
            _ => writeln!(f, "  lost: {lost} ({})", shown(&self.lost))?,
        }
        if !self.rows.is_empty() {
            let rows = self
                .rows
                .iter()
                .map(|(table, rows)| format!("{table} {rows}"));
            let rows = rows.collect::<Vec<_>>().join(", ");
            writeln!(
                f,
                "  not lost: {} offsets have a verdict. Rows of the range: {rows}",
                all - lost
            )?;
        }
        if self.is_uneven() {
            writeln!(
                f,
                "  NOT EXACT: the range was being written when it was given up. Rows that reached one table and not \
                 another stay as they are: the aggregates may count events of it that events_raw does not have, or the \
                 reverse. `openride-verify` recomputes them and names where they differ."
            )?;
        }
        Ok(())
    }
}

fn shown(ranges: &[(i64, i64)]) -> String {
    let text = |&(lo, hi): &(i64, i64)| match lo == hi {
        true => lo.to_string(),
        false => format!("{lo} to {hi}"),
    };
    let mut shown: Vec<String> = ranges.iter().take(SHOWN).map(text).collect();
    if ranges.len() > SHOWN {
        shown.push(format!("and {} ranges more", ranges.len() - SHOWN));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(lost: &[(i64, i64)], rows: &[(&str, u64)]) -> Plan {
        Plan {
            lane: LaneId {
                topic: "trip".to_owned(),
                partition: 0,
            },
            next: 5,
            through: 9,
            lost: lost.to_vec(),
            in_part: Vec::new(),
            is_untold: false,
            rows: rows
                .iter()
                .map(|(table, rows)| ((*table).to_owned(), *rows))
                .collect(),
            domain: Domain::Trip,
        }
    }

    #[test]
    fn a_range_of_which_nothing_is_stored_is_lost() {
        let text = plan(&[(5, 9)], &[]).to_string();
        assert_eq!(
            text,
            "trip/0: offsets 5 to 9, 5 in all\n  lost: 5 (5 to 9)\n"
        );
    }

    #[test]
    fn a_range_that_is_stored_whole_is_not_lost() {
        let rows = [("events_raw", 5), ("trip_events", 5)];
        let stored = Plan {
            in_part: vec![Uuid::nil()],
            ..plan(&[], &rows)
        };
        let text = stored.to_string();
        assert!(text.contains("lost: none"), "{text}");
        assert!(text.contains("events_raw 5, trip_events 5"), "{text}");
        assert!(!text.contains("NOT EXACT"), "{text}");
        let untold = Plan {
            is_untold: true,
            ..stored
        };
        assert!(untold.to_string().contains("NOT EXACT"));
    }

    #[test]
    fn rows_in_one_table_and_not_in_another_are_not_hidden() {
        let text = plan(&[(8, 9)], &[("events_raw", 3), ("trip_events", 2)]).to_string();
        assert!(text.contains("NOT EXACT"), "{text}");
        let begun = Plan {
            in_part: vec![Uuid::nil()],
            ..plan(&[(5, 9)], &[])
        };
        assert!(begun.to_string().contains("NOT EXACT"));
    }

    #[test]
    fn many_ranges_are_cut_short() {
        let lost: Vec<_> = (0..12).map(|n| (2 * n, 2 * n)).collect();
        assert!(shown(&lost).ends_with("16, 18, and 2 ranges more"));
    }
}
