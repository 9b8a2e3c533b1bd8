//! Waiting for an outage to be over.

use crate::recover::{ALARM_AFTER, RecoverError};
use backon::{ExponentialBuilder, Retryable};
use service_runtime::telemetry::chain;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Tries until it works; an outage is waited for.
pub(crate) async fn persist<T, E, F>(
    shutdown: &CancellationToken,
    what: &str,
    work: impl Fn() -> F + Send,
) -> Result<T, RecoverError>
where
    E: std::error::Error + Send + 'static,
    F: Future<Output = Result<T, E>> + Send,
{
    persist_quietly(shutdown, ALARM_AFTER, what, work).await
}

/// The same; so many failures are nothing that somebody has to act upon.
pub(crate) async fn persist_quietly<T, E, F>(
    shutdown: &CancellationToken,
    quiet: u32,
    what: &str,
    work: impl Fn() -> F + Send,
) -> Result<T, RecoverError>
where
    E: std::error::Error + Send + 'static,
    F: Future<Output = Result<T, E>> + Send,
{
    let (shortest, longest) = PAUSE;
    let pauses = ExponentialBuilder::default()
        .with_min_delay(shortest)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times();
    let mut failures = 0;
    let patiently = work.retry(pauses).notify(|failure, _| {
        failures += 1;
        let reason = chain(failure);
        match failures < quiet {
            true => warn!(failures, reason, "cannot {what} yet"),
            false => error!(
                failures,
                reason, "cannot {what}; it is tried again until it can"
            ),
        }
    });
    tokio::select! {
        done = patiently => done.map_err(|_| RecoverError::ShuttingDown),
        () = shutdown.cancelled() => Err(RecoverError::ShuttingDown),
    }
}
