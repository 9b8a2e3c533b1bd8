//! The local stack: Kafka, ClickHouse, PostgreSQL and Redis without containers.
//!
//! `make run` and the tests start the same servers through the same code. Tests that share servers
//! call [`test_stack`]; tests that break servers start a [`PrivateStack`] of their own.
//!
//! Every child is forked by one long-lived thread, through the `devstack child` launcher, which
//! ties its life to this process: however the supervisor ends, nothing stays behind.

mod cache;
pub mod clickhouse_server;
mod command;
mod config;
mod directory;
mod endpoints;
mod error;
mod forker;
mod http;
mod interrupt;
pub mod launcher;
pub mod location;
mod member;
pub mod ports;
mod process;
pub mod progress;
mod ready;
mod scratch;
mod server;
mod servers;
mod services_role;
mod signals;
mod stack;
mod strace;
pub mod supervisor;
mod test_run;
mod test_stack;
mod tree;
mod wire;

pub use cache::python_tools;
pub use config::StackConfig;
pub use endpoints::{CLICKHOUSE_DATABASE, Endpoints, POSTGRES_DATABASE, POSTGRES_USER};
pub use error::{Result, StackError};
pub use interrupt::Interrupt;
pub use member::Member;
pub use server::Server;
pub use services_role::ServicesRole;
pub use stack::PrivateStack;
pub use strace::Tracer;
pub use test_run::with_test_stack;
pub use test_stack::{TEST_STACK_VARIABLE, TestStack, postgres_client, test_stack};
pub use wire::{Flow, Wire, WireError};
