//! The verifier over what the real ingestor has written.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what helps a test fails like a test"
)]

mod platform;
mod right;
mod wrong;
