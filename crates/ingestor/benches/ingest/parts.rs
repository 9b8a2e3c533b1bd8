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

    /// Of the table that has the most.
    pub(crate) fn most(&self) -> u64 {
        self.0.first().map_or(0, |(_, parts)| *parts)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} tables, most:", self.total(), self.0.len())?;
        for (table, parts) in self.0.iter().take(5) {
            write!(f, " {table} {parts}")?;
        }
        Ok(())
    }
}
