use actix_web::web::Bytes;
use serde::de::DeserializeOwned;

/// A body cannot be read as what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{}{error}", path(.at))]
pub(crate) struct BodyError {
    /// The field at fault.
    at: String,
    error: serde_json::Error,
}

/// Reads a body; nothing at all is an object without fields.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, BodyError> {
    let text = match body.is_empty() {
        true => b"{}",
        false => body.as_ref(),
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| BodyError {
        at: error.path().to_string(),
        error: error.into_inner(),
    })?;
    let end = json.end();
    end.map(|()| value).map_err(|error| BodyError {
        at: String::new(),
        error,
    })
}

fn path(at: &str) -> String {
    match at {
        "" | "." => String::new(),
        at => format!("{at}: "),
    }
}
