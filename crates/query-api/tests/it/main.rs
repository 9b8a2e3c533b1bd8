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
mod books;
mod cache;
mod callers;
mod cells;
mod cells_of_analyses;
mod cells_of_now;
mod clients;
mod conformance;
mod cors;
mod description;
mod drill;
mod every_parameter;
mod faults;
mod generated_client;
mod histories;
mod kept;
mod keys;
mod known_keys;
mod kyc;
mod late_events;
mod local_days;
mod logs;
mod opened;
mod outage;
mod parameters;
mod pipeline;
mod process;
mod python;
mod regions;
mod replicas;
mod scope;
mod scoped_cells;
mod scoped_views;
mod second_tenant;
mod services_role;
mod story;
mod telemetry;
mod tokens;
mod turns;
mod wire;
