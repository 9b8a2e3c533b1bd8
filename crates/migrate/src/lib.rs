//! Applies the migrations of PostgreSQL and ClickHouse, and tells where they stand.
//!
//! PostgreSQL comes first: its steps are quick and each is a transaction, so that a mistake in the
//! configuration shows before the steps of ClickHouse begin, which have no transactions around them. All
//! of it may run any number of times, and several at once: what is done is not done again.
//!
//! What is missing is applied while no batch and no settling is open ([`metadata_store::quiet`]): half of it would be
//! written through the views of one version and repaired through those of another. Where nothing is missing, nobody is
//! held up.

mod config;
mod status;
mod up;

pub use self::{
    config::{Config, Limits},
    status::{Status, status},
    up::{Applied, up},
};
