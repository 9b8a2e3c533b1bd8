//! The event store against a real ClickHouse.

mod deadlines;
mod errors;
mod fence;
mod insert;
mod migrations;
mod native;
mod params;
mod probe;
mod support;
