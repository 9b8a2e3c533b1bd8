use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    error::PayloadError,
    web::{Bytes, Data},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::{error::ApiError, services::Services};

/// Bytes that the body of a request may have.
pub(crate) const LARGEST: usize = 64 * 1024;

/// A body cannot be read as what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is not what is asked for.
    #[error("{}{error}", path(.at))]
    Other {
        /// The field at fault.
        at: String,
        /// Why.
        error: serde_json::Error,
    },
    /// It is not said to be JSON. Pages of other origins may send anything else without a browser asking first.
    #[error("the Content-Type of the body is not application/json")]
    NotJson,
    /// It ended early, or is not encoded as is said.
    #[error("the body cannot be decoded, or ends early")]
    Broken,
    /// It did not arrive in time.
    #[error("the body did not arrive within {0:?}")]
    Late(Duration),
    /// It has too many bytes.
    #[error("the body has more than {} KiB", LARGEST / 1024)]
    TooLarge,
}

/// The bytes of a body, which are said to be JSON. There may be none.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Bytes);

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request
            .content_type()
            .eq_ignore_ascii_case("application/json");
        let services = request.app_data::<Data<Services>>();
        let within = services.map_or(Duration::ZERO, |services| services.client_timeout);
        let arriving = Bytes::from_request(request, payload);
        Box::pin(async move {
            let arrived = timeout(within, arriving).await;
            let bytes = arrived.map_err(|_| BodyError::Late(within))?;
            let bytes = bytes.map_err(|error| match error.as_error() {
                Some(PayloadError::Overflow) => BodyError::TooLarge,
                _ => BodyError::Broken,
            })?;
            match is_json || bytes.is_empty() {
                true => Ok(Self(bytes)),
                false => Err(BodyError::NotJson.into()),
            }
        })
    }
}

impl Body {
    /// Reads it; nothing at all is an object without fields.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        let text = match self.0.is_empty() {
            true => b"{}",
            false => self.0.as_ref(),
        };
        let mut json = serde_json::Deserializer::from_slice(text);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let at = error.path().to_string();
            let error = error.into_inner();
            BodyError::Other { at, error }
        })?;
        let end = json.end();
        end.map(|()| value).map_err(|error| {
            let at = String::new();
            BodyError::Other { at, error }
        })
    }
}

fn path(at: &str) -> String {
    match at {
        "" | "." => String::new(),
        at => format!("{at}: "),
    }
}
