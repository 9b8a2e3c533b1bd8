//! What only shows where all services stand side by side.

#[expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test's rig cannot do fails the test"
)]
mod faults;
mod settings;
