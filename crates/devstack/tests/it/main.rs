//! Tests of the local stack, against the real servers.

mod clients;
mod faults;
mod processes;
mod servers;
mod supervisor;
mod test_command;
