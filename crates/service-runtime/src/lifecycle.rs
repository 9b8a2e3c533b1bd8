//! How a process begins and ends.

use std::{io, process, sync::Once};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Makes *ring* the TLS implementation of this process. Every binary and every test that may open a TLS
/// connection calls it; calling it again does nothing.
pub fn install_crypto_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means that the process has already chosen a provider, which then stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A token that is cancelled by SIGTERM or SIGINT, for the service to drain and return.
///
/// A second signal ends the process at once with the status that the shell gives to a process killed by
/// it: whoever sends two does not want to wait. Must be called inside a tokio runtime.
pub fn shutdown_signal() -> io::Result<CancellationToken> {
    let mut signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
    };
    let token = CancellationToken::new();
    let shutdown = token.clone();
    tokio::spawn(async move {
        let first = signals.next().await;
        info!(signal = first.name, "shutting down");
        shutdown.cancel();
        let second = signals.next().await;
        warn!(
            signal = second.name,
            "second signal, ending without a drain"
        );
        process::exit(128 + second.number);
    });
    Ok(token)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

struct Received {
    name: &'static str,
    number: i32,
}

impl Signals {
    async fn next(&mut self) -> Received {
        let (name, kind) = tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt()),
        };
        Received {
            name,
            number: kind.as_raw_value(),
        }
    }
}
