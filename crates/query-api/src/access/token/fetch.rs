use std::time::Duration;

use reqwest::{Client, StatusCode, Url, header, redirect};
use service_runtime::telemetry::chain;
use tokio::time::timeout;

use super::keys::KeySet;

/// The longest key set that is read. A hundred keys have less than 100 KiB.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;

/// Fetches a key set from where it is published.
pub(crate) struct Fetcher {
    client: Client,
    url: Url,
    timeout: Duration,
}

/// Why a key set was not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// It was not there in time.
    #[error("it did not come within {0:?}")]
    TimedOut(Duration),
    /// There was no answer, or only a part of one; the client's own text says only that the request failed.
    #[error("{}", chain(.0))]
    Lost(reqwest::Error),
    /// The answer is no success. A redirect is none either.
    #[error("the answer has the status {0}")]
    Status(StatusCode),
    /// The answer is too long to be one.
    #[error("the answer is longer than {MOST_BYTES} bytes")]
    TooLong,
    /// The answer is something else.
    #[error("the answer is no JSON Web Key Set")]
    NoKeySet,
}

impl Fetcher {
    /// The process must have chosen its implementation of TLS.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub(crate) fn new(url: Url, timeout: Duration) -> reqwest::Result<Self> {
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            // it is used once in minutes, and by whichever runtime is there then
            .pool_max_idle_per_host(0);
        if url.scheme() == "http" {
            // what does not leave the machine without a proxy must not leave it for one
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build()?,
            url,
            timeout,
        })
    }

    /// Where the key set is, without what may be a secret in it.
    pub(crate) fn place(&self) -> Url {
        let mut place = self.url.clone();
        place.set_query(None);
        place.set_fragment(None);
        place
    }

    /// Fetches the key set.
    pub(crate) async fn fetch(&self) -> Result<KeySet, FetchError> {
        let body = timeout(self.timeout, self.body()).await;
        let body = body.map_err(|_| FetchError::TimedOut(self.timeout))??;
        KeySet::parse(&body).map_err(|_| FetchError::NoKeySet)
    }

    async fn body(&self) -> Result<Vec<u8>, FetchError> {
        let request = self
            .client
            .get(self.url.clone())
            .header(header::ACCEPT, "application/jwk-set+json, application/json");
        let mut response = request.send().await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len().saturating_add(chunk.len()) > MOST_BYTES {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl From<reqwest::Error> for FetchError {
    /// The URL stays out of it: its query may be a secret.
    fn from(error: reqwest::Error) -> Self {
        Self::Lost(error.without_url())
    }
}
