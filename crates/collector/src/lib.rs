//! For tests only, and no service: what one sees of a service's telemetry: an OTLP [`Collector`], and whether its metrics are [`documented()`].

mod documented;
mod metric;
mod span;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    web::{self, Bytes, Data},
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::task::JoinHandle;

pub use self::{
    documented::{Undocumented, documented},
    metric::Metric,
    span::Span,
};

/// The most bytes that a push may have.
const LARGEST_PUSH: usize = 16 << 20;

/// Takes traces over OTLP/HTTP on a port of this machine, until it is dropped, and keeps them.
pub struct Collector {
    spans: Spans,
    endpoint: String,
    serving: JoinHandle<io::Result<()>>,
}

type Spans = Arc<Mutex<Vec<Span>>>;

impl Collector {
    /// Takes a port and serves. What else than traces is pushed there is thanked for and forgotten.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> io::Result<Self> {
        let spans = Spans::default();
        let data = Data::new(Arc::clone(&spans));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(LARGEST_PUSH))
                .route("/v1/traces", web::post().to(take))
                .default_service(web::to(HttpResponse::Ok))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")?;
        let address = server.addrs().first().copied();
        let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self {
            spans,
            endpoint: format!("http://{address}"),
            serving: tokio::spawn(server.run()),
        })
    }

    /// The base URL to push to.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What was pushed so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(body: Bytes, spans: Data<Spans>) -> HttpResponse {
    let Ok(pushed) = ExportTraceServiceRequest::decode(body) else {
        return HttpResponse::BadRequest().finish();
    };
    spans
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(span::all_of(pushed));
    // an empty answer of the protocol: all was taken
    HttpResponse::Ok()
        .content_type("application/x-protobuf")
        .finish()
}
