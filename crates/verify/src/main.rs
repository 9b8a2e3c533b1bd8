//! `openride-verify`: says whether everything that is stored is exact and balanced.
//!
//! Exit status: 0 everything is right, 1 something is wrong, 2 it cannot be said.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use clap::Parser;
use event_store::Store;
use metadata_store::Pool;
use service_runtime::{
    clock::SystemClock,
    config::{HumanDuration, Loader},
    lifecycle,
};
use verify::{Config, Outcome, Verifier};

/// Recomputes every aggregate and every partition's balance from the stored rows, and names the first discrepancy
/// with its key and an offset where to look.
#[derive(Debug, Parser)]
#[command(name = "openride-verify", version)]
struct Arguments {
    /// Configuration file in TOML; the environment wins over it.
    #[arg(long, env = "OPENRIDE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How long a difference may be a batch on its way, such as 60s.
    #[arg(long, default_value = "60s")]
    patience: HumanDuration,
}

const PAUSE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match verified(Arguments::parse()) {
        Ok(Outcome::Right) => ExitCode::SUCCESS,
        Ok(Outcome::Wrong(_)) => ExitCode::FAILURE,
        Ok(Outcome::CannotSay(_)) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn verified(arguments: Arguments) -> anyhow::Result<Outcome> {
    lifecycle::install_crypto_provider();
    let config = Loader::from_process(arguments.config)
        .load::<Config>()?
        .config;
    let verifier = Verifier {
        store: Store::connect(&config.clickhouse)?,
        pool: Pool::new(&config.postgres)?,
        clock: Arc::new(SystemClock),
        patience: arguments.patience.get(),
        pause: PAUSE,
    };
    let runtime = tokio::runtime::Runtime::new().context("the async runtime cannot be started")?;
    let outcome = runtime.block_on(verifier.run(|report| println!("{report}")))?;
    println!("{outcome}");
    Ok(outcome)
}
