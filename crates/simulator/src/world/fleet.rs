//! The seats on the routes that drivers offer.

use super::Route;
use crate::dice::Dice;
use crate::event::{Fact, RouteStep};
use std::collections::BTreeMap;

/// All routes, and how many seats are sold on each departure to come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fleet {
    routes: Vec<Route>,
    /// By departure and route.
    sold: BTreeMap<(i64, usize), u8>,
}

impl Fleet {
    pub(crate) fn add(&mut self, route: Route) {
        self.routes.push(route);
    }

    pub(crate) const fn len(&self) -> usize {
        self.routes.len()
    }

    /// Seats on one of the routes: the route, and the departure, at `from_ms` or later. Full cars are passed over;
    /// where all are full, people wait for the next one.
    pub(crate) fn reserve(
        &mut self,
        seats: u8,
        from_ms: i64,
        headway_ms: i64,
        dice: &mut Dice,
    ) -> Option<(Route, i64)> {
        let mut last_choice = None;
        for _ in 0..8 {
            let number = dice
                .below(self.routes.len())
                .min(dice.below(self.routes.len()));
            let route = self.routes.get(number)?;
            if route.closed || route.opened_ms > from_ms {
                continue;
            }
            let departure_ms = route.departure_from(from_ms, headway_ms);
            if departure_ms <= from_ms + headway_ms && self.has_room(number, departure_ms, seats) {
                return self.sell(number, departure_ms, seats);
            }
            last_choice = Some(number);
        }
        let number = last_choice?;
        self.reserve_on(number, seats, from_ms, headway_ms)
    }

    /// Seats on this route, at `from_ms` or later.
    pub(crate) fn reserve_on(
        &mut self,
        number: usize,
        seats: u8,
        from_ms: i64,
        headway_ms: i64,
    ) -> Option<(Route, i64)> {
        let route = self.routes.get(number)?;
        let mut departure_ms = route.departure_from(from_ms, headway_ms);
        while seats <= route.seats_total && !self.has_room(number, departure_ms, seats) {
            departure_ms = route.departure_from(departure_ms + 1, headway_ms);
        }
        self.sell(number, departure_ms, seats)
    }

    fn has_room(&self, number: usize, departure_ms: i64, seats: u8) -> bool {
        let sold = self
            .sold
            .get(&(departure_ms, number))
            .copied()
            .unwrap_or_default();
        self.routes
            .get(number)
            .is_some_and(|route| sold.saturating_add(seats) <= route.seats_total)
    }

    /// Forgets the departures before an instant.
    pub(crate) fn forget_before(&mut self, instant_ms: i64) {
        while let Some(first) = self.sold.first_entry()
            && first.key().0 < instant_ms
        {
            first.remove();
        }
    }

    fn sell(&mut self, number: usize, departure_ms: i64, seats: u8) -> Option<(Route, i64)> {
        let sold = self.sold.entry((departure_ms, number)).or_default();
        *sold = sold.saturating_add(seats);
        self.routes
            .get(number)
            .map(|route| (route.clone(), departure_ms))
    }

    /// Something that happens to one of the routes.
    pub(crate) fn care(&mut self, at_ms: i64, dice: &mut Dice) -> Option<(i64, Fact)> {
        let count = self.routes.len();
        let route = self
            .routes
            .get_mut(dice.below(count))
            .filter(|route| !route.closed && route.opened_ms < at_ms)?;
        let step = match dice.between(0, 9) {
            0..=5 => RouteStep::Updated {
                fields: dice.pick(&UPDATES).copied()?,
            },
            9 if count > 20 => {
                route.closed = true;
                let reason = dice.chance(0.5).then_some("driver moved away");
                let active_bookings = u32::try_from(dice.between(0, 3)).unwrap_or_default();
                RouteStep::Cancelled {
                    reason,
                    active_bookings,
                }
            }
            _ => RouteStep::Activated,
        };
        Some((at_ms, route.fact(step)))
    }
}

const UPDATES: [&[&str]; 3] = [
    &["base_price"],
    &["departure_time", "active_days"],
    &["stops"],
];
