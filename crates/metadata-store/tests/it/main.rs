//! What is promised of PostgreSQL, against the real one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what helps a test fails like a test"
)]

mod attempts;
mod audit;
mod closings;
mod connections;
mod database;
mod forgetting;
mod horizon;
mod intents;
mod keys;
mod lanes;
mod migrations;
mod openings;
mod parked;
mod quiet;
mod rebuilt;
mod refused_keys;
mod revocations;
mod rotations;
mod settlings;
mod topics;
mod touched;
mod unreadable;
