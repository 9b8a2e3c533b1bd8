//! The migrations against real stores, through the library and through the binary.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like a test")]

mod binary;
mod stores;
mod up_and_status;
