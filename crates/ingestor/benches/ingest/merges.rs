//! Waits for the server's background work.

use event_store::Store;
use std::time::{Duration, Instant};

/// Merges that take longer are not waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// So long nothing may be merged.
const QUIET: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(100);

/// Waits until nothing is merged any more, or for as long as is reasonable.
pub(crate) async fn come_to_rest(store: &Store) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut quiet_since = began;
    while quiet_since.elapsed() < QUIET && began.elapsed() < PATIENCE {
        let running: u64 = store
            .query("SELECT count() FROM system.merges")
            .fetch_one()
            .await?;
        if running > 0 {
            quiet_since = Instant::now();
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
