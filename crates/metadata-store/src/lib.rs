//! PostgreSQL through diesel: where the ingestor stands in every partition ([`lanes`]), the batches it
//! has promised to write ([`batches`]), the settlings of regions ([`settlings`]) and what topics carry ([`topics`]); who may ask for what
//! ([`keys`]), and who did what ([`audit`]). One file per aggregate.
//! A schema is changed while no batch and no settling is open ([`quiet`]).
//!
//! What is stored of batches and settlings is an intent, written before its effect in ClickHouse, and a key that was
//! revoked may not come back, so every commit must be durable: `synchronous_commit` may not be off on the server.

pub mod audit;
pub mod batches;
pub mod clock;
mod config;
mod error;
pub mod keys;
pub mod lanes;
mod locks;
mod migrations;
mod pool;
pub mod quiet;
pub mod rebuilt;
mod schema;
mod session;
pub mod settlings;
pub mod topics;

pub use config::Config;
pub use error::StoreError;
pub use migrations::{migrate, pending_migrations};
pub use pool::Pool;

/// A topic and one of its partitions.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct LaneId {
    /// The Kafka topic.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
}

impl std::fmt::Display for LaneId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}
