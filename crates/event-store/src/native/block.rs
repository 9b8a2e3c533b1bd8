use std::{
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::buffers::Buffers;

use super::{
    body::{Body, Pieces},
    cell::{Cell, Slot},
    column::Column,
    types::{ColumnType, Kind},
    varint,
};

/// Rows of one table, column by column, ready to become the body of an insert.
///
/// A clone takes the same handles.
#[derive(Clone, Debug)]
pub struct Block {
    id: u64,
    rows: usize,
    columns: Vec<Column>,
    fault: Option<BlockError>,
}

/// The handle of a column, which takes values of kind `K`; made by [`Block::add`].
#[derive(Debug)]
pub struct Col<K> {
    block: u64,
    index: usize,
    kind: PhantomData<fn(K)>,
}

impl<K> Clone for Col<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Col<K> {}

/// A mistake of the program that fills a block: it would have stored something else than was meant.
/// It is kept until [`Block::take`], so that a cell can be set without a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A column's handle was used on a block that it does not belong to.
    #[error("a column handle of another block was used")]
    ForeignColumn,
    /// A value that is none of the enum's.
    #[error("column `{column}` ({type_name}) does not have the value that was set in row {row}")]
    Value {
        /// The column's name.
        column: String,
        /// Its type.
        type_name: String,
        /// The row, counted from 0.
        row: usize,
    },
    /// Cells were set behind the last finished row.
    #[error("column `{column}` has a cell in row {row}, which was not finished")]
    UnfinishedRow {
        /// The first such column's name.
        column: String,
        /// The row, counted from 0.
        row: usize,
    },
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Default for Block {
    fn default() -> Self {
        Self::new()
    }
}

impl Block {
    /// A block without columns and rows.
    pub fn new() -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            rows: 0,
            columns: Vec::new(),
            fault: None,
        }
    }

    /// Adds a column. Rows that are there already have its default.
    pub fn add<K: Kind>(&mut self, name: &str, column_type: ColumnType<K>) -> Col<K> {
        self.columns.push(column_type.column(name));
        Col {
            block: self.id,
            index: self.columns.len() - 1,
            kind: PhantomData,
        }
    }

    /// Sets a cell of the row that is being written; the last of several values counts. `None` leaves
    /// it as it is: the column's default, NULL if it is nullable.
    #[inline]
    pub fn set<K: Kind>(&mut self, column: Col<K>, value: impl Cell<K>) {
        if !value.is_some() {
            return;
        }
        let row = self.rows;
        let found = self.columns.get_mut(column.index);
        let Some(found) = found.filter(|_| column.block == self.id) else {
            self.fault.get_or_insert(BlockError::ForeignColumn);
            return;
        };
        if !found.put(row, |storage| value.write(Slot(storage))) {
            self.fault.get_or_insert_with(|| BlockError::Value {
                column: found.name().to_owned(),
                type_name: found.type_name().to_owned(),
                row,
            });
        }
    }

    /// Ends the row that is being written; cells that were not set are defaults.
    #[inline]
    pub fn finish_row(&mut self) {
        self.rows += 1;
    }

    /// Finished rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is no finished row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Drops all rows and keeps columns, handles and memory.
    fn clear(&mut self) {
        self.rows = 0;
        self.fault = None;
        self.columns.iter_mut().for_each(Column::clear);
    }

    /// Takes the rows out, as one block of the Native format: the memory of large columns goes into the body, and
    /// comes back to `memory` with it. The block is empty afterwards, whatever comes of it.
    ///
    /// # Errors
    /// What was done wrong since the block was empty.
    pub fn take(&mut self, memory: &Buffers) -> Result<Body, BlockError> {
        let taken = self.check().map(|()| self.encode(memory));
        self.clear();
        taken
    }

    fn check(&self) -> Result<(), BlockError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let row = self.rows;
        match self.columns.iter().find(|column| column.len() > row) {
            Some(column) => Err(BlockError::UnfinishedRow {
                column: column.name().to_owned(),
                row,
            }),
            None => Ok(()),
        }
    }

    fn encode(&mut self, memory: &Buffers) -> Body {
        let (rows, mut out) = (self.rows, Pieces::new(memory));
        varint::put(out.copied(), self.columns.len() as u64);
        varint::put(out.copied(), rows as u64);
        self.columns
            .iter_mut()
            .for_each(|column| column.encode(rows, &mut out));
        out.finish()
    }

    /// Names of the columns, in their order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(Column::name)
    }

    /// Names and types of the columns, as ClickHouse writes a table's structure.
    pub fn structure(&self) -> String {
        let column = |column: &Column| {
            let name = column.name().replace('\\', "\\\\").replace('`', "\\`");
            format!("`{name}` {}", column.type_name())
        };
        self.columns
            .iter()
            .map(column)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The table function `input('…')` over this block's columns, for `INSERT … SELECT … FROM`.
    pub fn input(&self) -> String {
        let structure = self.structure().replace('\\', "\\\\").replace('\'', "\\'");
        format!("input('{structure}')")
    }
}
