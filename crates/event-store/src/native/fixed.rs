use super::{body::Pieces, column::Cells};

/// Cells of one width, as they go over the wire: little-endian, back to back.
#[derive(Clone, Debug)]
pub(super) struct Fixed {
    width: usize,
    /// Every byte of a default cell: 0, or the least value of an enum.
    fill: u8,
    /// The values that an enum has, as a set of bytes; `None` where every value is one.
    members: Option<[u64; 4]>,
    bytes: Vec<u8>,
}

impl Fixed {
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            fill: 0,
            members: None,
            bytes: Vec::new(),
        }
    }

    /// Cells of an enum with these values.
    pub(super) fn of_enum(values: &[i8]) -> Self {
        let mut members = [0; 4];
        for value in values {
            let (word, bit) = place(value.cast_unsigned());
            if let Some(word) = members.get_mut(word) {
                *word |= bit;
            }
        }
        Self {
            fill: values.iter().min().map_or(0, |least| least.cast_unsigned()),
            members: Some(members),
            ..Self::new(1)
        }
    }

    /// Appends a cell; false if it is not of this width or no value of the enum.
    pub(super) fn push<const WIDTH: usize>(&mut self, cell: [u8; WIDTH]) -> bool {
        let fits =
            WIDTH == self.width && self.members.is_none_or(|members| contains(&members, &cell));
        if fits {
            self.bytes.extend_from_slice(&cell);
        }
        fits
    }
}

impl Cells for Fixed {
    fn pad(&mut self, count: usize) {
        let length = self.bytes.len() + count * self.width;
        self.bytes.resize(length, self.fill);
    }

    fn begin(&mut self) {}

    fn rollback(&mut self) {
        let length = self.bytes.len().saturating_sub(self.width);
        self.bytes.truncate(length);
    }

    fn clear(&mut self) {
        self.bytes.clear();
    }

    fn encode(&mut self, out: &mut Pieces<'_>) {
        out.hand_over(&mut self.bytes);
    }
}

fn place(value: u8) -> (usize, u64) {
    (usize::from(value >> 6), 1 << (value & 63))
}

fn contains(members: &[u64; 4], cell: &[u8]) -> bool {
    cell.iter().all(|&value| {
        let (word, bit) = place(value);
        members.get(word).is_some_and(|word| word & bit != 0)
    })
}
