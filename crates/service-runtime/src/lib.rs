//! What every process needs once: configuration, telemetry, lifecycle, health and admin listener, clock.
//!
//! A service is a library with a `run(config, shutdown)` and a `main.rs` of a few lines over [`cli`]:
//! its configuration is a struct of sections ([`config`]), it logs and counts through [`telemetry`],
//! answers probes through [`health`], ends when the token of [`lifecycle`] is cancelled, and takes the
//! time from a [`clock`] that is passed in.

pub mod cli;
pub mod clock;
pub mod config;
pub mod health;
pub mod lifecycle;
pub mod telemetry;
