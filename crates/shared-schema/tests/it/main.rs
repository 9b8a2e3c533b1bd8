//! What the crate promises, tried with the bytes that would come over the wire.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stop at the first surprise, as tests do"
)]

mod accepts;
mod adapters;
mod age;
mod every_field;
mod hostile;
mod identity;
mod region;
mod region_of_events;
mod rejects_envelope;
mod rejects_fields;
mod round_trip;
mod samples;
mod schemas;
mod topics;
