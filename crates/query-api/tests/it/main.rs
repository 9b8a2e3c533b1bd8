//! The query API against real servers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what helps a test fails like a test"
)]

mod access;
mod analyses;
mod answers;
mod api;
mod cache;
mod cells;
mod cells_of_analyses;
mod cells_of_now;
mod conformance;
mod cors;
mod description;
mod every_parameter;
mod faults;
mod generated_client;
mod histories;
mod kyc;
mod local_days;
mod logs;
mod outage;
mod parameters;
mod pipeline;
mod process;
mod regions;
mod scope;
mod story;
mod telemetry;
mod traces;
mod walls;
