//! Tests of the local stack, against the real servers.

mod servers;
