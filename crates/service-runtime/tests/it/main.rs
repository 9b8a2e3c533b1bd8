//! The runtime from the outside: configurations from real files and variables, health over real HTTP,
//! a whole service as a real process.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what helps a test fails like a test"
)]

mod config_example;
mod config_mistakes;
mod config_secrets;
mod config_sources;
mod fixture;
mod health;
mod metrics;
mod process;
mod service;
