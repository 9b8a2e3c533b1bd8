//! Deterministic ride-sharing traffic with an exact answer key.
//!
//! ```text
//! Config ─► Simulation ─► Occurrence ─► Traffic ─► Emission { Record, Expected, LogicalEvent } ─► Kafka
//!              (what happens)        (bytes, and what goes wrong)             └────► AnswerKey ─► metrics
//! ```
//!
//! Everything follows from the configuration: the same seed and span give the same bytes. The answer key computes
//! every metric of the API from the logical events by brute force, and shares no code with the platform that it
//! checks but the tables and names of the contract.

pub mod answer;
mod config;
mod dice;
pub mod event;
mod exact;
mod kafka;
mod live;
mod mess;
mod post;
mod record;
pub mod replay;
mod ride;
mod simulation;
mod verdicts;
pub mod wire;
mod world;

pub use config::{Config, Disorder, Founding, Tempo};
pub use exact::{Exactly, rides_for};
pub use kafka::{
    Compression, KafkaError, Producer, ProducerConfig, RecordTime, allowed_record_time,
};
pub use live::Live;
pub use mess::{Emission, Mess, Traffic};
pub use post::Occurrence;
pub use record::{Expected, Record, TopicNames};
pub use simulation::Simulation;
pub use verdicts::{TopicVerdicts, Verdicts};
pub use world::Shape;
