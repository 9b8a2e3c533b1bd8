//! Kafka to ClickHouse, exactly once.
//!
//! ```text
//! Kafka ─▶ intake ─▶ pipeline: judge ─▶ open ─▶ dead letters ─▶ write ─▶ close ─▶ ClickHouse
//!            │          │ board: where every lane stands           │
//!            │          └ progress: complete_through ─▶ PostgreSQL  └ recover: anything else
//!            └ group: lanes come and go
//! ```
//!
//! The order of reading: [`mod@pipeline`], [`mod@judge`], [`mod@write`], [`mod@recover`], then [`mod@intake`].

pub mod batch;
pub mod board;
pub mod config;
pub mod dead_letters;
pub mod handover;
pub mod intake;
pub mod judge;
mod kafka;
pub mod lanes_command;
pub mod meters;
pub mod open_batches;
pub mod pipeline;
mod places;
mod progress;
pub mod recover;
pub mod reread;
pub mod rewound;
pub mod rows;
mod service;
pub mod settle;
mod stopped;
mod ticks;
pub mod topics;
mod windows;
pub mod write;

pub use config::Config;
pub use service::run;
