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
//! | `pipeline`, `batch` | the way of a batch, step by step; its records |
//! | [`judge`], `windows` | what becomes of every record, and which identities were accepted before |
//! | [`rows`] | accepted events as rows |
//! | [`dead_letters`] | the others, to their topic |
//! | [`write`](mod@write) | parts in ClickHouse: plain inserts at first, then only what is missing |
//! | [`recover`], `reread` | the one procedure for a batch that anything went wrong with, and how it reads Kafka again |
//! | `rewound` | PostgreSQL has gone back: what it forgot is put back from the ledger |
//! | `intake`, `handover` | polling, lanes that come and go, take-overs, and how a batch reaches the pipeline |
//! | [`board`], `progress` | where every lane stands, and how far it is complete |
//! | `settle`, `places` | regions of facts that another topic tells |
//! | [`topics`], [`lanes_command`], `stopped` | what operators say, and what they are told of lanes that stand still |
//! | `service`, `config`, `kafka` | starting and ending everything, settings, clients of Kafka |
//! | [`meters`], `open_batches` | what is counted, and the alarm about batches that stay open |
//! | `persist`, `ticks` | what is done until it works, and what is done now and then |

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
mod stopped;
mod ticks;
pub mod topics;
mod windows;
pub mod write;

pub use config::Config;
pub use service::run;
