//! Kafka to ClickHouse, exactly once.
pub mod batch;
pub mod config;
pub mod judge;
pub mod rows;
pub mod write;
