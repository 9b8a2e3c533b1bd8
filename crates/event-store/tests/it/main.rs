//! The event store against a real ClickHouse.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what helps a test fails like a test"
)]

mod cells;
mod days_moved;
mod deadlines;
mod errors;
mod fence;
mod insert;
mod merge_settings;
mod migrations;
mod native;
mod outages;
mod params;
mod probe;
mod regions_moved;
mod shape;
mod slots_moved;
mod support;
mod traces;
mod users_moved;
