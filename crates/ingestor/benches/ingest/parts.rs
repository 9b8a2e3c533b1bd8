//! Active parts, which pile up where merges do not keep pace.

use event_store::Store;
use std::fmt;

/// Active parts of all tables at one moment.
pub(crate) struct Parts(Vec<(String, u64)>);

impl Parts {
    /// Counts them; the tables with the most come first.
    pub(crate) async fn count(store: &Store) -> anyhow::Result<Self> {
        let sql = "SELECT table, count() AS parts FROM system.parts \
                   WHERE active AND database = currentDatabase() GROUP BY table ORDER BY parts DESC, table";
        Ok(Self(store.query(sql).fetch_all().await?))
    }

    /// Of all tables together.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|(_, parts)| parts).sum()
    }

    /// Of the tables in which facts wait for their region: how many there are depends on what waits.
    pub(crate) fn waiting(&self) -> u64 {
        let waiting = self
            .0
            .iter()
            .filter(|(table, _)| table.starts_with("waiting_"));
        waiting.map(|(_, parts)| parts).sum()
    }

    /// Of all other tables.
    pub(crate) fn lasting(&self) -> u64 {
        self.total() - self.waiting()
    }

    /// How many there are in the others, in hundredths of how many there were.
    pub(crate) fn percent_of(&self, earlier: &Self) -> f64 {
        (self.lasting() * 100) as f64 / earlier.lasting() as f64
    }

    /// Of the table that has the most.
    pub(crate) fn most(&self) -> u64 {
        self.0.first().map_or(0, |(_, parts)| *parts)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lasting, waiting) = (self.lasting(), self.waiting());
        write!(f, "{lasting}, and {waiting} in waiting tables; most:")?;
        for (table, parts) in self.0.iter().take(5) {
            write!(f, " {table} {parts}")?;
        }
        Ok(())
    }
}
