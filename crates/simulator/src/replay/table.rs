//! The table of trips in memory.

use super::ReplayError;
use std::io::Read;

/// How many trips there were on one kind of day, in one quarter of an hour, from one zone to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Day of the week, 0 is Monday; the table has 0–4.
    pub day: u8,
    /// Quarter of an hour of the day, 0–95.
    pub slot: u8,
    /// Pick-up zone.
    pub from: u16,
    /// Drop-off zone.
    pub to: u16,
    /// How many.
    pub trips: u32,
}

/// The trips, ordered by day, slot, pick-up and drop-off zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripTable {
    cells: Vec<Cell>,
}

const COLUMNS: &str = "dow,t_15min,puzone,dozone,n_trips";

impl TripTable {
    /// A table of these cells.
    #[must_use]
    pub fn new(mut cells: Vec<Cell>) -> Self {
        cells.sort_unstable();
        Self { cells }
    }

    /// Reads the CSV file.
    ///
    /// # Errors
    /// When the columns are others or a line is not five numbers in range.
    pub fn read(source: impl Read) -> Result<Self, ReplayError> {
        let mut reader = csv::Reader::from_reader(source);
        let header = reader
            .headers()
            .map_err(|_| ReplayError::Line { line: 1 })?;
        let found = header.iter().collect::<Vec<_>>().join(",");
        if found != COLUMNS {
            return Err(ReplayError::Columns {
                found,
                expected: COLUMNS,
            });
        }
        let mut cells = Vec::new();
        let mut record = csv::StringRecord::new();
        for line in 2.. {
            match reader.read_record(&mut record) {
                Ok(true) => cells.push(cell(&record).ok_or(ReplayError::Line { line })?),
                Ok(false) => break,
                Err(_) => return Err(ReplayError::Line { line }),
            }
        }
        Ok(Self::new(cells))
    }

    /// The cells in order.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// How many rows it has.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.cells.len() as u64
    }

    /// How many trips it counts.
    #[must_use]
    pub fn trips(&self) -> u64 {
        self.cells.iter().map(|cell| u64::from(cell.trips)).sum()
    }
}

fn cell(record: &csv::StringRecord) -> Option<Cell> {
    let text = |column: usize| record.get(column);
    let cell = Cell {
        day: text(0)?.parse().ok()?,
        slot: text(1)?.parse().ok()?,
        from: text(2)?.parse().ok()?,
        to: text(3)?.parse().ok()?,
        trips: text(4)?.parse().ok()?,
    };
    (cell.day < 7 && cell.slot < 96).then_some(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_in_order_whatever_the_order_of_its_lines() {
        let text = "dow,t_15min,puzone,dozone,n_trips\n1,0,4,13,5\n0,95,4,4,15\n";
        let table = TripTable::read(text.as_bytes()).unwrap();
        let first = Cell {
            day: 0,
            slot: 95,
            from: 4,
            to: 4,
            trips: 15,
        };
        assert_eq!(
            table.cells(),
            [
                first,
                Cell {
                    day: 1,
                    slot: 0,
                    to: 13,
                    trips: 5,
                    ..first
                }
            ]
        );
        assert_eq!((table.rows(), table.trips()), (2, 20));
    }

    #[test]
    fn a_bad_line_is_named() {
        for bad in [
            "0,96,4,4,1",
            "7,0,4,4,1",
            "0,0,4,4,-1",
            "0,0,4,4",
            "0,0,4,4,x",
        ] {
            let text = format!("dow,t_15min,puzone,dozone,n_trips\n0,0,4,4,1\n{bad}\n");
            let error = TripTable::read(text.as_bytes()).unwrap_err();
            assert!(
                matches!(error, ReplayError::Line { line: 3 }),
                "{bad}: {error}"
            );
        }
        let error = TripTable::read("a,b\n1,2\n".as_bytes()).unwrap_err();
        assert!(error.to_string().contains("a,b"), "{error}");
    }
}
