//! ClickHouse in both directions: insert, select, migrations. The only crate that knows its HTTP settings.
//!
//! [`Store`] is the one client. Reading goes through the `clickhouse` crate: [`Store::query`] with
//! server-side parameters, a deadline that the server is held to, and a query id; [`ScopedStore`] reads what a caller
//! may see who may see some regions only. Writing is
//! [`Store::insert_select`]: one ready [`native`] block in one request whose settings are
//! [pinned](insert_settings), so that one insert makes one part per target and month, which is what
//! the ingestor's exactly-once rests on. [`fence`] ends attempts for good, [`probe`] checks the server
//! at start-up, [`migrations`] make the schema, and [`shape`] tells whether it still is what they made.

mod buffers;
mod config;
mod error;
pub mod fence;
mod http;
mod insert;
pub mod insert_settings;
pub mod migrations;
pub mod native;
mod observe;
mod params;
pub mod probe;
mod query;
mod scoped;
mod server_code;
pub mod shape;
mod store;

pub use buffers::{Buffer, Buffers};
pub use clickhouse;
pub use clickhouse::{Row, RowOwned, RowRead};
pub use config::{Compression, Config};
pub use error::{At, Operation, Source, StoreError};
pub use insert::InsertSelect;
pub use params::{Params, Value};
pub use query::Query;
pub use scoped::{ScopedStore, ScopedUser};
pub use server_code::{MEMORY_LIMIT_EXCEEDED, passes_because};
pub use store::Store;
