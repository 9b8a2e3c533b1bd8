//! The HTTP API over the metrics.
