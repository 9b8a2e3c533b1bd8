//! Zones become towns by rank: the busiest zone the busiest town, and so on.

use super::table::TripTable;
use crate::world::Towns;
use std::cmp::Reverse;
use std::collections::HashMap;

/// The town of each zone.
#[derive(Debug, Clone)]
pub(super) struct Zones {
    towns: HashMap<u16, usize>,
}

impl Zones {
    /// Ranks the zones by pick-ups and drop-offs, ties by number.
    pub(super) fn rank(table: &TripTable, towns: &Towns) -> Self {
        let mut demand = HashMap::<u16, u64>::new();
        for cell in table.cells() {
            *demand.entry(cell.from).or_default() += u64::from(cell.trips);
            *demand.entry(cell.to).or_default() += u64::from(cell.trips);
        }
        let mut zones: Vec<(Reverse<u64>, u16)> = demand
            .into_iter()
            .map(|(zone, trips)| (Reverse(trips), zone))
            .collect();
        zones.sort_unstable();
        // There are many more towns than zones; should there ever be fewer, the last town serves the rest.
        let last = towns.len().saturating_sub(1);
        let towns = zones
            .into_iter()
            .zip(0..)
            .map(|((_, zone), rank)| (zone, last.min(rank)));
        Self {
            towns: towns.collect(),
        }
    }

    /// The town of a zone of the table.
    pub(super) fn town(&self, zone: u16) -> usize {
        self.towns.get(&zone).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Cell;

    #[test]
    fn the_busiest_zone_is_the_busiest_town() {
        let cell = |from, to, trips| Cell {
            day: 0,
            slot: 0,
            from,
            to,
            trips,
        };
        let table = TripTable::new(vec![cell(7, 9, 10), cell(9, 9, 3), cell(4, 7, 5)]);
        // 9 has 16, 7 has 15, 4 has 5
        let zones = Zones::rank(&table, &Towns::of_nigeria());
        assert_eq!([9, 7, 4].map(|zone| zones.town(zone)), [0, 1, 2]);
    }
}
