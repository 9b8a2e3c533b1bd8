use std::{io::Write, time::Duration};

use lz4_flex::frame::FrameEncoder;
use reqwest::{Client, Response, StatusCode, Url, header, redirect};
use service_runtime::telemetry::trace_context;

use crate::{
    config::{Compression, Config},
    error::{At, Source, StoreError},
    native::Body,
};

/// Shorter than the server's keep-alive, so that a request is not sent into a connection that the
/// server is closing.
const IDLE: Duration = Duration::from_secs(2);

/// Sends bodies that must arrive whole or not at all.
///
/// The length of a body is announced before it is sent, so that the server sees a torn one as such:
/// the end of a body without a length is the end of the insert. Nothing is ever sent twice.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    url: Url,
    config: Config,
}

impl Http {
    pub(crate) fn new(config: &Config) -> Result<Self, Source> {
        // fails if the program has chosen one already, which is as good
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(config.connect_timeout.get())
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .build()?;
        Ok(Self {
            client,
            url: config.url.clone(),
            config: config.clone(),
        })
    }

    /// Sends one body and waits for the end of the query.
    pub(crate) async fn post<'p>(
        &self,
        at: At,
        query: impl Iterator<Item = (&'p str, &'p str)>,
        body: Body,
    ) -> Result<(), StoreError> {
        let timeout = self.config.insert_timeout.get();
        let mut url = self.url.clone();
        url.query_pairs_mut().clear().extend_pairs(query);
        let mut request = self
            .client
            .post(url)
            .timeout(timeout)
            .header("X-ClickHouse-User", &self.config.user);
        if !self.config.password.is_empty() {
            request = request.header("X-ClickHouse-Key", self.config.password.expose());
        }
        for (name, value) in trace_context::inject_current() {
            request = request.header(name, value);
        }
        let body = match self.config.insert_compression {
            Compression::None => body,
            Compression::Lz4 => {
                request = request.header(header::CONTENT_ENCODING, "lz4");
                let compressed = lz4(body).await;
                compressed.map_err(|source| StoreError::Request {
                    at: at.clone(),
                    source,
                })?
            }
        };
        // an empty body gets no length by itself, and the server insists on one
        let request = request.header(header::CONTENT_LENGTH, body.len());
        match request.body(reqwest::Body::wrap(body.sent())).send().await {
            Ok(response) => settle(at, timeout, response).await,
            Err(error) => Err(lost(at, timeout, error)),
        }
    }
}

/// Reads the answer to its end: an exception may stand in it even behind a good status.
async fn settle(at: At, timeout: Duration, response: Response) -> Result<(), StoreError> {
    let status = response.status();
    let code = response
        .headers()
        .get("X-ClickHouse-Exception-Code")
        .cloned();
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => return Err(lost(at, timeout, error)),
    };
    let text = String::from_utf8_lossy(&body);
    let text = text.trim();
    let excepted =
        code.is_some() || text.contains("DB::Exception") || text.contains("__exception__");
    match (status, code) {
        (StatusCode::OK, _) if !excepted => Ok(()),
        (_, Some(code)) if !text.contains("Code: ") => {
            let code = String::from_utf8_lossy(code.as_bytes()).into_owned();
            Err(StoreError::of_text(
                at,
                Some(status.as_u16()),
                &format!("Code: {code}. {text}"),
            ))
        }
        _ => Err(StoreError::of_text(at, Some(status.as_u16()), text)),
    }
}

fn lost(at: At, timeout: Duration, error: reqwest::Error) -> StoreError {
    let error = error.without_url();
    if error.is_connect() {
        StoreError::Unreachable {
            at,
            source: error.into(),
        }
    } else if error.is_timeout() {
        StoreError::TimedOut { at, after: timeout }
    } else if error.is_builder() {
        StoreError::Request {
            at,
            source: error.into(),
        }
    } else {
        StoreError::Lost {
            at,
            source: error.into(),
        }
    }
}

/// Off the runtime's threads: tens of megabytes take tens of milliseconds.
async fn lz4(body: Body) -> Result<Body, Source> {
    let compressed = tokio::task::spawn_blocking(move || {
        let mut encoder = FrameEncoder::new(Vec::with_capacity(body.len() / 2));
        for piece in body.pieces() {
            encoder.write_all(piece)?;
        }
        Ok::<_, Source>(Body::from(encoder.finish()?))
    });
    compressed.await?
}
