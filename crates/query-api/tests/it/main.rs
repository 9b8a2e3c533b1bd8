//! The query API against real servers.
