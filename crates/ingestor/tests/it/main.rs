//! The ingestor against real servers.

mod end_to_end;
mod platform;
