//! Scaling by error diffusion.
//!
//! Dividing each cell by n would leave nothing, as most are smaller than n. So the *running total* is divided and
//! rounded, and a cell gets what its running total gains: the rounding error of one cell goes into the next. Hence
//! the whole sums to the exact total ÷ n, rounded half up; every stretch of the table (a day, a slot, a pick-up zone
//! of a slot) is off by less than one trip; and the same table gives the same cells.

use super::table::{Cell, TripTable};

/// The cells of a table at a scale of 1 to `scale`, without the empty ones.
pub(super) fn scaled(table: &TripTable, scale: u32) -> impl Iterator<Item = Cell> {
    let scale = u64::from(scale.max(1));
    let (mut total, mut given) = (0_u64, 0_u64);
    table.cells().iter().filter_map(move |cell| {
        total += u64::from(cell.trips);
        let due = rounded(total, scale);
        let trips = u32::try_from(due - given).ok()?;
        given = due;
        (trips > 0).then_some(Cell { trips, ..*cell })
    })
}

/// `total ÷ scale`, rounded half up.
pub(super) const fn rounded(total: u64, scale: u64) -> u64 {
    (2 * total + scale) / (2 * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(trips: &[u32]) -> TripTable {
        let cells = (0..).zip(trips).map(|(from, trips)| Cell {
            day: 0,
            slot: 0,
            from,
            to: 0,
            trips: *trips,
        });
        TripTable::new(cells.collect())
    }

    proptest! {
        #[test]
        fn every_stretch_is_off_by_less_than_one_trip(
            trips in proptest::collection::vec(0..3_000_u32, 1..300),
            scale in 1..5_000_u32,
            cut: proptest::sample::Index,
        ) {
            let table = table(&trips);
            let sum: u64 = scaled(&table, scale).map(|cell| u64::from(cell.trips)).sum();
            prop_assert_eq!(sum, rounded(table.trips(), u64::from(scale)));
            let cut = cut.index(trips.len());
            let exact = trips.iter().skip(cut).map(|trips| f64::from(*trips)).sum::<f64>() / f64::from(scale);
            let tail: u64 = scaled(&table, scale)
                .filter(|cell| usize::from(cell.from) >= cut)
                .map(|cell| u64::from(cell.trips))
                .sum();
            prop_assert!((tail as f64 - exact).abs() <= 1.0, "{} {}", tail, exact);
        }
    }

    #[test]
    fn at_a_scale_of_one_nothing_changes() {
        let cells: Vec<u32> = scaled(&table(&[3, 0, 7]), 1)
            .map(|cell| cell.trips)
            .collect();
        assert_eq!(cells, [3, 7]);
    }

    #[test]
    fn the_total_is_rounded_half_up() {
        assert_eq!(rounded(110_932_862, 1_000), 110_933);
        assert_eq!(rounded(15, 10), 2);
        assert_eq!(rounded(14, 10), 1);
    }
}
