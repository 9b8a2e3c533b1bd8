//! The simulator, seen from outside.

#![expect(clippy::unwrap_used, reason = "a helper fails its test by panicking")]

mod answer;
mod commands;
mod judge;
mod kafka;
mod replay;
mod story;
mod traffic;
