use hashbrown::HashMap;

use super::{body::Pieces, column::Cells, varint};

/// `SharedDictionariesWithAdditionalKeys`, the one serialisation version that there is.
const VERSION: u64 = 1;
/// The dictionary stands in the block itself, and is all there is: what the server writes too.
const OWN_DICTIONARY: u64 = 1 << 9 | 1 << 10;

/// Strings as indexes into a dictionary of those that occur.
///
/// Index 0 is the default. A nullable dictionary has NULL there and the empty string behind it.
#[derive(Clone, Debug)]
pub(super) struct LowCardinality {
    nullable: bool,
    /// The dictionary, as it goes over the wire.
    keys: Vec<u8>,
    key_count: u32,
    index_of: HashMap<Box<[u8]>, u32>,
    indexes: Vec<u32>,
    /// Where the row that is being written began.
    mark: usize,
}

impl LowCardinality {
    pub(super) fn new(nullable: bool) -> Self {
        let mut column = Self {
            nullable,
            keys: Vec::new(),
            key_count: 0,
            index_of: HashMap::new(),
            indexes: Vec::new(),
            mark: 0,
        };
        column.clear();
        column
    }

    pub(super) fn push(&mut self, text: &[u8]) {
        let index = match self.index_of.get(text) {
            Some(&index) => index,
            None => self.add_key(text),
        };
        self.indexes.push(index);
    }

    fn add_key(&mut self, text: &[u8]) -> u32 {
        let index = self.key_count;
        varint::put_bytes(&mut self.keys, text);
        self.key_count += 1;
        self.index_of.insert(text.into(), index);
        index
    }

    /// What stands before the data of the whole column, outside of any array.
    pub(super) fn encode_prefix(out: &mut Vec<u8>) {
        out.extend_from_slice(&VERSION.to_le_bytes());
    }

    fn encode_indexes<const WIDTH: usize>(&self, out: &mut Vec<u8>) {
        out.reserve(self.indexes.len() * WIDTH);
        for index in &self.indexes {
            if let Some(low) = index.to_le_bytes().first_chunk::<WIDTH>() {
                out.extend_from_slice(low);
            }
        }
    }
}

impl Cells for LowCardinality {
    fn pad(&mut self, count: usize) {
        self.indexes.resize(self.indexes.len() + count, 0);
    }

    fn begin(&mut self) {
        self.mark = self.indexes.len();
    }

    /// The dictionary keeps a string that only the dropped row had: allowed, and rare.
    fn rollback(&mut self) {
        self.indexes.truncate(self.mark);
    }

    fn clear(&mut self) {
        self.indexes.clear();
        self.mark = 0;
        self.index_of.clear();
        self.keys.clear();
        self.key_count = 0;
        if self.nullable {
            // the place of NULL, which no string may find
            varint::put_bytes(&mut self.keys, b"");
            self.key_count = 1;
        }
        self.add_key(b"");
    }

    fn encode(&mut self, out: &mut Pieces<'_>) {
        // no cell, no dictionary: so the server reads an array column whose arrays are all empty
        if self.indexes.is_empty() {
            return;
        }
        let index_type: u64 = match self.key_count {
            0..=0x100 => 0,
            0x101..=0x1_0000 => 1,
            _ => 2,
        };
        let out = out.copied();
        out.extend_from_slice(&(OWN_DICTIONARY | index_type).to_le_bytes());
        out.extend_from_slice(&u64::from(self.key_count).to_le_bytes());
        out.extend_from_slice(&self.keys);
        out.extend_from_slice(&(self.indexes.len() as u64).to_le_bytes());
        match index_type {
            0 => self.encode_indexes::<1>(out),
            1 => self.encode_indexes::<2>(out),
            _ => self.encode_indexes::<4>(out),
        }
    }
}
