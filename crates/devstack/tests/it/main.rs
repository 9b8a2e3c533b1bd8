//! Tests of the local stack, against the real servers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper fails its test by panicking"
)]

mod clients;
mod faults;
mod place;
mod processes;
mod servers;
mod supervisor;
mod test_command;
