//! The query API as a process.

use std::process::ExitCode;

use service_runtime::{cli, service};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(service!(), query_api::run)
}
