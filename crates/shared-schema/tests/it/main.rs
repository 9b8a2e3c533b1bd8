//! What the crate promises, tried with the bytes that would come over the wire.

mod accepts;
mod samples;
