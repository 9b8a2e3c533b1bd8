use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc, thread};

use actix_web::{App, HttpServer, dev::Server as ActixServer, middleware::from_fn, web};
use anyhow::Context;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use service_runtime::{
    clock::{Clock, SystemClock},
    health::HealthState,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    access,
    config::{Config, HttpConfig},
    health, http, openapi, routes,
    services::{Services, SetupError},
};

/// Files of a connection: it is watched through a second one.
const FILES_EACH: usize = 2;
/// Files that are open beside those of connections: of databases, logs, libraries.
const OTHER_FILES: usize = 512;

/// Why the API could not be started.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A client could not be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The address cannot be listened on.
    #[error("the API cannot listen on {address} (set by OPENRIDE_HTTP_LISTEN): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// The API with its port taken, waiting to be run.
#[must_use = "it serves nothing until it is run"]
pub struct Server {
    address: SocketAddr,
    server: ActixServer,
    health: HealthState,
}

/// Answers requests until the token is cancelled.
///
/// # Errors
/// When the API cannot be started or its server fails.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let server = bind(&config, Arc::new(SystemClock))?;
    info!(address = %server.local_addr(), "the API is ready");
    server
        .run(shutdown)
        .await
        .context("the API's server failed")
}

/// Takes the port.
///
/// # Errors
/// When it is taken, or a client cannot be made.
pub fn bind(config: &Config, clock: Arc<dyn Clock>) -> Result<Server, BindError> {
    let services = Services::new(config, clock)?;
    let health = health::state(&services);
    let (state, probes) = (web::Data::new(services), health.clone());
    let requests = web::Data::new(http::Requests::new());
    let address = config.http.listen;
    let cors = config.http.cors.clone();
    let connections = usize::try_from(config.http.max_connections).unwrap_or(usize::MAX);
    // each serves one at least
    let workers = workers(&config.http).min(connections);
    allow_files(connections.saturating_mul(FILES_EACH));
    let client_timeout = config.http.client_timeout.get();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(requests.clone())
            .app_data(web::PayloadConfig::new(routes::LARGEST_BODY))
            .configure(service_runtime::health::configure(&probes))
            .service(
                // not the probes: they ask for no key, and are for no page to read
                web::scope("")
                    .configure(openapi::configure)
                    .configure(routes::configure)
                    .default_service(web::to(routes::not_found))
                    .wrap(from_fn(access::admitted))
                    .wrap(http::sharing(&cors)),
            )
            .wrap(from_fn(http::framed))
    })
    .disable_signals()
    .shutdown_timeout(config.http.shutdown_timeout.get().as_secs())
    .workers(workers)
    // counted by each thread
    .max_connections(connections / workers)
    .on_connect(move |connection, extensions| {
        http::Connection::begin(connection, extensions, client_timeout);
    })
    .bind(address)
    .map_err(|source| BindError::Listen { address, source })?;
    let address = server.addrs().first().copied().unwrap_or(address);
    Ok(Server {
        address,
        server: server.run(),
        health,
    })
}

/// Threads that answer requests.
fn workers(config: &HttpConfig) -> usize {
    match config.workers {
        0 => thread::available_parallelism().map_or(2, NonZeroUsize::get),
        workers => workers.into(),
    }
}

/// Raises the number of files that the process may have open, as a rule 1,024, to what those of connections need. A server that
/// has no file left can neither accept nor ask its databases.
fn allow_files(of_connections: usize) {
    let needed = u64::try_from(of_connections.saturating_add(OTHER_FILES)).unwrap_or(u64::MAX);
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < needed {
            setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard)?;
        }
        Ok(soft.max(hard))
    });
    match raised {
        Ok(allowed) if allowed < needed => warn!(
            allowed,
            needed, "fewer files may be open than http.max_connections needs"
        ),
        Ok(_) => {}
        Err(error) => warn!(%error, "how many files may be open is not known"),
    }
}

impl Server {
    /// The address that was taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until the token is cancelled, then finishes those under way.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self, shutdown: CancellationToken) -> io::Result<()> {
        let handle = self.server.handle();
        tokio::pin! {
            let server = self.server;
        }
        tokio::select! {
            ended = &mut server => return ended,
            () = shutdown.cancelled() => {}
        }
        self.health.start_draining();
        let (ended, ()) = tokio::join!(server, handle.stop(true));
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_the_files_open_that_its_connections_need() {
        let files = || getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let (_, hard) = files();
        setrlimit(Resource::RLIMIT_NOFILE, 1024, hard).unwrap();
        allow_files(2000);
        assert_eq!(files(), (2512.min(hard), hard));
        // it is never lowered
        allow_files(100);
        assert_eq!(files(), (2512.min(hard), hard));
        allow_files(usize::MAX);
        assert_eq!(files(), (hard, hard));
    }
}
