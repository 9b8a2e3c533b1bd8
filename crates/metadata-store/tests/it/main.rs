//! What is promised of PostgreSQL, against the real one.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what helps a test fails like a test"
)]

mod attempts;
mod closings;
mod connections;
mod database;
mod forgetting;
mod horizon;
mod intents;
mod lanes;
mod migrations;
mod openings;
mod parked;
mod quiet;
mod rebuilt;
mod settlings;
mod touched;
mod unreadable;
