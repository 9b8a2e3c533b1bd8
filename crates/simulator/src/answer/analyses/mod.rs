//! The analyses, each by the most obvious way: over the whole history of every person.

mod cohort;
mod funnel;
mod geographic;
mod retention;
mod trends;

pub use cohort::{CohortMetrics, CohortRow};
pub use funnel::{Breakdown, Funnel, FunnelMetrics, FunnelPart, Order, StepMetrics};
pub use geographic::{GeographicMetrics, Measure, Place, Quantity};
pub use retention::{Mode, RetentionMetrics, UserType};
pub use trends::TrendMetrics;

use super::AnswerKey;
use super::distinct::Standing;
use super::question::Question;
use super::rows::{BookingKind, Number, TripKind, UserKind};
use crate::event::Role;
use std::collections::BTreeMap;

/// When somebody registered for the first time, and as what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joined {
    pub(super) at_ms: i64,
    role: Role,
}

impl AnswerKey {
    /// Everyone who is at home in the question's regions, by the first registration.
    pub(super) fn joined(&self, question: &Question) -> BTreeMap<Number, Joined> {
        let mut first = BTreeMap::new();
        for row in &self.users {
            let UserKind::Registered(role) = row.kind else {
                continue;
            };
            if question.region.admits(self.user_region(row.user)) {
                // ClickHouse compares the last eight bytes of an id first
                let order = (row.stamp.at_ms, row.stamp.id.as_u64_pair());
                let order = (order.0, order.1.1, order.1.0);
                let known = first.entry(row.user).or_insert((order, role));
                if order < known.0 {
                    *known = (order, role);
                }
            }
        }
        let joined = first
            .into_iter()
            .map(|(user, ((at_ms, ..), role))| (user, Joined { at_ms, role }));
        joined.collect()
    }

    /// When each person rode or drove, by booking and trip events other than cancellations.
    fn rides(&self, question: &Question) -> BTreeMap<Number, Vec<(i64, Standing)>> {
        let mut rides = BTreeMap::<Number, Vec<(i64, Standing)>>::new();
        let bookings = self.bookings.iter().filter_map(|row| {
            let counts = !matches!(row.kind, BookingKind::Cancelled);
            counts.then_some((row.stamp, row.booking, [row.rider, row.driver]))
        });
        let trips = self.trips.iter().filter_map(|row| {
            let counts = !matches!(row.kind, TripKind::Cancelled);
            counts.then_some((row.stamp, row.booking, [row.rider, row.driver]))
        });
        for (stamp, booking, people) in bookings.chain(trips) {
            if let Some(standing) = question.region.standing(self.ride_region(booking)) {
                for person in people {
                    rides
                        .entry(person)
                        .or_default()
                        .push((stamp.at_ms, standing));
                }
            }
        }
        rides
    }
}

/// Whether somebody rode in the question's regions at a time that counts: of the unknown region, and in no known one.
fn rode(rides: Option<&Vec<(i64, Standing)>>, counts: impl Fn(i64) -> bool) -> bool {
    let rides = rides.into_iter().flatten();
    let mut standings = rides
        .filter(|(at_ms, _)| counts(*at_ms))
        .map(|(_, standing)| *standing);
    let (mut inside, mut known) = (false, false);
    for standing in &mut standings {
        match standing {
            Standing::Inside => inside = true,
            Standing::Known => known = true,
        }
    }
    inside && !known
}
