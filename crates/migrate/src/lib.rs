//! Applies the migrations of PostgreSQL and ClickHouse, and tells where they stand.
//!
//! PostgreSQL comes first: its steps are quick and each is a transaction, so that a mistake in the
//! configuration shows before the steps of ClickHouse begin, which have no transactions around them. All
//! of it may run any number of times, and several at once: what is done is not done again.

mod config;
mod status;
mod up;

pub use self::{
    config::Config,
    status::{Status, status},
    up::{Applied, up},
};
