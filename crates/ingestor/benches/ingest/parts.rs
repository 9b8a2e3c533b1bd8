//! Active parts, which pile up where merges do not keep pace.

use event_store::Store;
use std::fmt;

/// Active parts of all tables at one moment: in the table, and in the one of its partitions that has the most.
pub(crate) struct Parts(Vec<(String, u64, u64)>);

impl Parts {
    /// Counts them; the tables with the most come first.
    pub(crate) async fn count(store: &Store) -> anyhow::Result<Self> {
        let sql = "SELECT table, sum(parts) AS all, max(parts) AS most FROM \
                   (SELECT table, count() AS parts FROM system.parts \
                    WHERE active AND database = currentDatabase() GROUP BY table, partition) \
                   GROUP BY table ORDER BY all DESC, table";
        Ok(Self(store.query(sql).fetch_all().await?))
    }

    /// Of all tables together.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|(_, parts, _)| parts).sum()
    }

    /// Of the tables in which facts wait for their region: how many there are depends on what waits.
    pub(crate) fn waiting(&self) -> u64 {
        let waiting = self.0.iter().filter(|(table, ..)| is_waiting(table));
        waiting.map(|(_, parts, _)| parts).sum()
    }

    /// Of all other tables.
    pub(crate) fn lasting(&self) -> u64 {
        self.total() - self.waiting()
    }

    /// Of the partition of all other tables that has the most.
    pub(crate) fn most_in_a_partition(&self) -> u64 {
        let lasting = self.0.iter().filter(|(table, ..)| !is_waiting(table));
        lasting.map(|(.., most)| *most).max().unwrap_or_default()
    }

    /// Of the table that has the most.
    pub(crate) fn most(&self) -> u64 {
        self.0.first().map_or(0, |(_, parts, _)| *parts)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lasting, waiting) = (self.lasting(), self.waiting());
        write!(f, "{lasting}, and {waiting} in waiting tables; most:")?;
        for (table, parts, _) in self.0.iter().take(5) {
            write!(f, " {table} {parts}")?;
        }
        Ok(())
    }
}

fn is_waiting(table: &str) -> bool {
    table.starts_with("waiting_")
}
