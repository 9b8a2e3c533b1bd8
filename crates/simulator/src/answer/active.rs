//! Who was active: everybody whom an event names as user, rider or driver, in the region of that event.

use super::AnswerKey;
use super::distinct::{Distinct, Standing};
use super::question::RegionFilter;
use super::rows::{Number, Stamp};
use shared_schema::Region;

impl AnswerKey {
    /// Calls `visit` for every time that an event which bears on the question names a user.
    pub(super) fn for_each_activity(
        &self,
        filter: &RegionFilter,
        mut visit: impl FnMut(Standing, Stamp, Number),
    ) {
        self.for_each_event(|region, stamp, user| {
            if let Some(standing) = filter.standing(region) {
                visit(standing, stamp, user);
            }
        });
    }

    /// Calls `name` for every time that an event names a user, with the region of the event.
    pub(super) fn for_each_event(&self, mut name: impl FnMut(Region, Stamp, Number)) {
        for row in &self.users {
            name(self.user_region(row.user), row.stamp, row.user);
        }
        for row in &self.bookings {
            let region = self.ride_region(row.booking);
            name(region, row.stamp, row.rider);
            name(region, row.stamp, row.driver);
        }
        for row in &self.payments {
            name(self.ride_region(row.booking), row.stamp, row.rider);
        }
        for row in &self.trips {
            let region = self.ride_region(row.booking);
            name(region, row.stamp, row.rider);
            name(region, row.stamp, row.driver);
        }
        for row in &self.route_changes {
            name(self.route_region(row.route), row.stamp, row.driver);
        }
        for row in &self.pings {
            name(self.region(Some(row.region)), row.stamp, row.driver);
        }
    }

    /// How many distinct users were active at times that `counts` accepts.
    pub(super) fn active_users(
        &self,
        filter: &RegionFilter,
        counts: impl Fn(Stamp) -> bool,
    ) -> u64 {
        let mut active = Distinct::default();
        self.for_each_activity(filter, |standing, stamp, user| {
            if counts(stamp) {
                active.add(standing, user);
            }
        });
        active.count()
    }
}
