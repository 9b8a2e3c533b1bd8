//! Kafka to ClickHouse, exactly once.
//!
//! ```text
//! Kafka ─▶ intake ─▶ pipeline: judge ─▶ open ─▶ dead letters ─▶ write ─▶ close ─▶ ClickHouse
//!            │          │ board: where every lane stands           │
//!            │          └ progress: complete_through ─▶ PostgreSQL  └ recover: anything else
//!            └ group: lanes come and go
//! ```
//!
//! The rooms, in the order of reading:
//!
//! | room | what it is for |
//! |---|---|
//! | `intake`, `handover`, `batch`, `origins` | polling, lanes that come and go, take-overs; how a batch is cut and reaches the pipeline, its records and the spans that they come from |
//! | [`judge`], `windows` | what becomes of every record (`shared_schema` decodes and validates it), and which identities were accepted before |
//! | [`rows`] | accepted events as rows |
//! | `pipeline` | the way of a batch, step by step |
//! | [`dead_letters`] | what is not accepted, to its topic |
//! | [`write`](mod@write) | parts in ClickHouse: plain inserts at first, then only what is missing |
//! | [`recover`], `reread` | the one procedure for a batch that anything went wrong with, and how it reads Kafka again |
//! | [`share`] | what of a batch is written together where a recovery had to leave a range, and how its parts tell |
//! | `rewound` | PostgreSQL has gone back: what it forgot is put back from the ledger |
//! | [`board`], `progress` | where every lane stands, and how far it is complete |
//! | `settle`, [`places`] | regions of facts that another topic tells, and the places by which facts are named |
//! | [`topics`], [`lanes_command`], `stopped` | what operators say, and what they are told of lanes that stand still |
//! | [`meters`], `open_batches` | what is counted, and the alarm about batches that stay open |
//! | `service`, `config`, `kafka` | starting and ending everything, settings, clients of Kafka |
//! | `persist`, `ticks`, `chain` | what is done until it works, what is done now and then, and how an error is told |

mod batch;
pub mod board;
mod config;
pub mod dead_letters;
mod handover;
mod intake;
pub mod judge;
mod kafka;
pub mod lanes_command;
pub mod meters;
mod open_batches;
mod origins;
mod persist;
mod pipeline;
pub mod places;
mod progress;
pub mod recover;
mod reread;
mod rewound;
pub mod rows;
mod service;
mod settle;
pub mod share;
mod stopped;
mod ticks;
pub mod topics;
mod windows;
pub mod write;

pub use config::Config;
pub use service::{run, run_by};
