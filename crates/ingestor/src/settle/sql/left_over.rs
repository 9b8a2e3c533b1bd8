//! What is done with the facts that a settling has looked at: those that go on waiting, and those that do not.

use super::{Waiting, settlements};
use crate::places::PLACE;

impl Waiting {
    /// Facts that have no region and are not yet in the bucket for what is left over. Asked by place: should PostgreSQL
    /// have gone back, facts may have come into a bucket since an attempt kept what was left over of it.
    fn left_over(&self, database: &str) -> String {
        format!(
            "{} WHERE ({PLACE}) NOT IN (SELECT {PLACE} FROM {}) AND ({PLACE}) NOT IN {}",
            self.taken(database),
            settlements(database),
            self.kept(database),
        )
    }

    /// How many facts go on waiting and have not been kept.
    pub(in crate::settle) fn count_left_over(&self, database: &str) -> String {
        format!("SELECT count() FROM {}", self.left_over(database))
    }

    /// Gives them a bucket of their own.
    pub(in crate::settle) fn keep_left_over(&self, database: &str, fence: &str) -> String {
        let columns = self.column_list();
        format!(
            "INSERT INTO {database}.{} (bucket, batch, {columns}) SELECT {{left_over:UInt64}}, {{batch:UUID}}, {columns} \
             FROM {} AND {fence}",
            self.table(),
            self.left_over(database)
        )
    }

    /// How many facts need not wait any more where they do.
    pub(in crate::settle) fn count_over(&self, database: &str) -> String {
        format!(
            "SELECT count() FROM {database}.{} WHERE {}",
            self.table(),
            self.over(database)
        )
    }

    /// Removes them. Harmless at any time, and whoever does it: what is named are facts that this settling has given
    /// their regions, or that wait elsewhere too.
    pub(in crate::settle) fn remove_over(&self, database: &str) -> String {
        format!(
            "ALTER TABLE {database}.{} DELETE WHERE {}",
            self.table(),
            self.over(database)
        )
    }

    fn over(&self, database: &str) -> String {
        format!(
            "{} AND (({PLACE}) IN (SELECT {PLACE} FROM {}) OR ({PLACE}) IN {})",
            self.in_taken_buckets(),
            settlements(database),
            self.kept(database),
        )
    }

    /// The places in the bucket for what is left over; none, if there is no such bucket.
    fn kept(&self, database: &str) -> String {
        format!(
            "(SELECT {PLACE} FROM {database}.{} WHERE bucket = {{left_over:UInt64}} AND batch = {{batch:UUID}})",
            self.table()
        )
    }
}
