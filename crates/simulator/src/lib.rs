//! Deterministic ride-sharing traffic with an exact answer key.
