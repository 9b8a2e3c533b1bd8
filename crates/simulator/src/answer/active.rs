//! Who was active: everybody whom an event names as user, rider or driver, in the region of that event.

use super::AnswerKey;
use super::question::RegionFilter;
use super::rows::{Number, Stamp};
use std::collections::HashSet;

impl AnswerKey {
    /// Calls `visit` for every time that an event in an admitted region names a user.
    pub(super) fn for_each_activity(
        &self,
        filter: &RegionFilter,
        mut visit: impl FnMut(Stamp, Number),
    ) {
        for row in self
            .users
            .iter()
            .filter(|row| filter.admits(self.user_region(row.user)))
        {
            visit(row.stamp, row.user);
        }
        for row in self
            .bookings
            .iter()
            .filter(|row| filter.admits(self.ride_region(row.booking)))
        {
            visit(row.stamp, row.rider);
            visit(row.stamp, row.driver);
        }
        for row in self
            .payments
            .iter()
            .filter(|row| filter.admits(self.ride_region(row.booking)))
        {
            visit(row.stamp, row.rider);
        }
        for row in self
            .trips
            .iter()
            .filter(|row| filter.admits(self.ride_region(row.booking)))
        {
            visit(row.stamp, row.rider);
            visit(row.stamp, row.driver);
        }
        for row in self
            .route_changes
            .iter()
            .filter(|row| filter.admits(self.route_region(row.route)))
        {
            visit(row.stamp, row.driver);
        }
        for row in self
            .pings
            .iter()
            .filter(|row| filter.admits(self.region(Some(row.region))))
        {
            visit(row.stamp, row.driver);
        }
    }

    /// How many distinct users were active at times that `counts` accepts.
    pub(super) fn active_users(
        &self,
        filter: &RegionFilter,
        counts: impl Fn(Stamp) -> bool,
    ) -> u64 {
        let mut active = HashSet::new();
        self.for_each_activity(filter, |stamp, user| {
            if counts(stamp) {
                active.insert(user);
            }
        });
        active.len() as u64
    }
}
