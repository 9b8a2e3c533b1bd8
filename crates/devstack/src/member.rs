//! A service in the process of a test.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    task::{JoinHandle, block_in_place},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// What a member of a test that fails may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that runs in this process, on a runtime of several threads. When the test fails it ends before the runtime
/// does: its Kafka client gives its lanes back when it is dropped, and would wait for ever without one.
pub struct Member {
    shutdown: CancellationToken,
    running: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Member {
    /// Runs a service until its token is cancelled.
    pub fn start<R>(service: impl FnOnce(CancellationToken) -> R) -> Self
    where
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(service(shutdown.clone()));
        Self {
            shutdown,
            running: Some(running),
        }
    }

    /// Asks it to end, and sees that it ended well.
    ///
    /// # Panics
    /// When it did not.
    #[expect(
        clippy::panic,
        reason = "a test whose service ends badly has to fail, with the reason"
    )]
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        if let Some(running) = self.running.take() {
            match running.await {
                Ok(Ok(())) => {}
                ended => panic!("a member did not end well: {ended:?}"),
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.shutdown.cancel();
        if let Some(running) = self.running.take() {
            let ended = timeout(PATIENCE, running);
            let _ = block_in_place(|| Handle::current().block_on(ended));
        }
    }
}
