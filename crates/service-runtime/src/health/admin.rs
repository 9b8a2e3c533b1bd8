use std::{io, net::SocketAddr};

use actix_web::{App, HttpServer, dev::Server};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{HealthState, configure};
use crate::config::Settings;

/// Seconds that open requests have after the end was asked for.
const SHUTDOWN_SECONDS: u64 = 5;

/// The port on which a service without an API serves its health and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Address and port of `/health` and `/metrics`, such as `0.0.0.0:9101`; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl AdminConfig {
    /// On this port of the loopback interface.
    pub fn on_port(port: u16) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }
}

impl Default for AdminConfig {
    /// A free port; services have their own default.
    fn default() -> Self {
        Self::on_port(0)
    }
}

impl Settings for AdminConfig {}

/// Why the admin listener failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The address cannot be listened on.
    #[error(
        "the admin listener cannot listen on {address} (set by OPENRIDE_ADMIN_LISTEN): {source}"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The listener broke.
    #[error("the admin listener failed: {0}")]
    Serve(#[source] io::Error),
}

/// An admin listener whose port is taken and which waits to be run.
#[must_use = "it serves nothing until it is run"]
pub struct AdminServer {
    address: SocketAddr,
    server: Server,
}

/// Takes the port of the admin listener.
pub fn bind(listen: SocketAddr, state: &HealthState) -> Result<AdminServer, AdminError> {
    let failed = |source| AdminError::Bind {
        address: listen,
        source,
    };
    let state = state.clone();
    let server = HttpServer::new(move || App::new().configure(configure(&state)))
        .workers(1)
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .bind(listen)
        .map_err(failed)?;
    let address = server.addrs().first().copied().unwrap_or(listen);
    Ok(AdminServer {
        address,
        server: server.run(),
    })
}

/// Takes the port and serves until the token is cancelled.
///
/// The token should be cancelled after the service has drained, so that it can be watched until then.
pub async fn serve(
    listen: SocketAddr,
    state: &HealthState,
    shutdown: CancellationToken,
) -> Result<(), AdminError> {
    bind(listen, state)?.run(shutdown).await
}

impl AdminServer {
    /// The address that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the token is cancelled.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), AdminError> {
        info!(address = %self.address, "admin listener ready");
        let handle = self.server.handle();
        tokio::pin! {
            let server = self.server;
        }
        tokio::select! {
            ended = &mut server => return ended.map_err(AdminError::Serve),
            () = shutdown.cancelled() => {}
        }
        let (ended, ()) = tokio::join!(server, handle.stop(true));
        ended.map_err(AdminError::Serve)
    }
}
