use super::{
    array::Arrays, body::Pieces, fixed::Fixed, low_cardinality::LowCardinality, text::Strings,
    varint,
};

/// What every kind of storage does with its cells.
pub(super) trait Cells {
    /// Appends so many default cells.
    fn pad(&mut self, count: usize);
    /// Remembers this place for [`rollback`](Self::rollback): one cell is about to be appended.
    fn begin(&mut self);
    /// Drops the one cell appended since [`begin`](Self::begin).
    fn rollback(&mut self);
    fn clear(&mut self);
    /// Appends all cells; what stays behind is only good for [`clear`](Self::clear).
    fn encode(&mut self, out: &mut Pieces<'_>);
}

#[derive(Clone, Debug)]
pub(super) enum Storage {
    Fixed(Fixed),
    Strings(Strings),
    LowCardinality(LowCardinality),
    Arrays(Arrays),
}

/// A column of a block. It holds the cells of as many rows as it was set in; the rest are defaults,
/// appended when the next cell or the encoding needs them.
#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    type_name: String,
    len: usize,
    /// One byte per cell, 1 for NULL, where the column is nullable and has no dictionary.
    nulls: Option<Vec<u8>>,
    storage: Storage,
}

impl Column {
    pub(super) fn new(name: String, type_name: String, nulls: bool, storage: Storage) -> Self {
        Self {
            name,
            type_name,
            len: 0,
            nulls: nulls.then(Vec::new),
            storage,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Rows that this column holds a cell of, defaults in between included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts the cell of the row with this number, in place of the one that it may have already.
    /// `write` says whether it wrote one; if not, the row keeps its default.
    pub(super) fn put(&mut self, row: usize, write: impl FnOnce(&mut Storage) -> bool) -> bool {
        self.truncate(row);
        self.pad_to(row);
        self.cells().begin();
        let written = write(&mut self.storage);
        if written {
            self.len += 1;
            if let Some(nulls) = &mut self.nulls {
                nulls.push(0);
            }
        }
        written
    }

    /// Drops the cell of an unfinished row.
    pub(super) fn truncate(&mut self, rows: usize) {
        if self.len > rows {
            self.cells().rollback();
            self.len = rows;
            if let Some(nulls) = &mut self.nulls {
                nulls.truncate(rows);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.cells().clear();
        if let Some(nulls) = &mut self.nulls {
            nulls.clear();
        }
    }

    /// Appends name, type and so many rows; what stays behind is only good for [`clear`](Self::clear).
    pub(super) fn encode(&mut self, rows: usize, out: &mut Pieces<'_>) {
        varint::put_bytes(out.copied(), self.name.as_bytes());
        varint::put_bytes(out.copied(), self.type_name.as_bytes());
        if rows == 0 {
            return;
        }
        self.pad_to(rows);
        match &self.storage {
            Storage::LowCardinality(_) => LowCardinality::encode_prefix(out.copied()),
            Storage::Arrays(arrays) => arrays.encode_prefix(out.copied()),
            Storage::Fixed(_) | Storage::Strings(_) => {}
        }
        if let Some(nulls) = &mut self.nulls {
            out.hand_over(nulls);
        }
        self.cells().encode(out);
    }

    fn pad_to(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.len);
        if missing > 0 {
            self.cells().pad(missing);
            self.len = rows;
            if let Some(nulls) = &mut self.nulls {
                nulls.resize(rows, 1);
            }
        }
    }

    fn cells(&mut self) -> &mut dyn Cells {
        match &mut self.storage {
            Storage::Fixed(cells) => cells,
            Storage::Strings(cells) => cells,
            Storage::LowCardinality(cells) => cells,
            Storage::Arrays(cells) => cells,
        }
    }
}
