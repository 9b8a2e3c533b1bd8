//! The Native format, columnar, as the body of an insert.
//!
//! A [`Block`] is built once with its columns and used for batch after batch: cells are [`set`](Block::set)
//! by typed handles, a row is [finished](Block::finish_row), and all rows are [taken](Block::take) as the body of an
//! insert. A cell that is not set is the
//! column's default (NULL where the column is nullable) and costs nothing until the column is used
//! again, so wide, sparse tables are cheap.
//!
//! ```
//! use event_store::{
//!     Buffers,
//!     native::{Block, ColumnType},
//! };
//!
//! let mut block = Block::new();
//! let id = block.add("event_id", ColumnType::uuid());
//! let city = block.add("city", ColumnType::low_cardinality_string());
//! let amount = block.add("amount", ColumnType::decimal64(2).nullable());
//!
//! block.set(id, uuid::Uuid::nil());
//! block.set(city, "Lagos");
//! block.set(amount, Some(300_000)); // 3000.00
//! block.finish_row();
//!
//! let body = block.take(&Buffers::default())?;
//! assert!(!body.is_empty() && block.is_empty());
//! assert_eq!(
//!     block.structure(),
//!     "`event_id` UUID, `city` LowCardinality(String), `amount` Nullable(Decimal(18, 2))"
//! );
//! # Ok::<(), event_store::native::BlockError>(())
//! ```
//!
//! The bytes are those of protocol revision 0, which is what ClickHouse expects in a body over HTTP.

mod array;
mod block;
mod body;
mod cell;
mod column;
mod fixed;
mod low_cardinality;
mod text;
mod types;
mod varint;

pub use block::{Block, BlockError, Col};
pub use body::Body;
pub use cell::Cell;
pub use types::{
    Bool, ColumnType, DateTime64, Decimal64, Enum8, Float64, Int64, Kind, Scalar, Text, Texts,
    UInt8, UInt16, UInt32, UInt64, Uuid,
};
