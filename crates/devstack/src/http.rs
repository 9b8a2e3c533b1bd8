//! Short questions over HTTP to a server on this machine.

use std::time::Duration;

use ureq::{Agent, Body, http::Response};

/// The body of a successful answer, else what went wrong.
pub(crate) fn get(url: &str, timeout: Duration) -> Result<String, String> {
    body(url, agent(timeout).get(url).call())
}

/// The same of what is sent.
pub(crate) fn post(url: &str, text: &str, timeout: Duration) -> Result<String, String> {
    body(url, agent(timeout).post(url).send(text))
}

fn agent(timeout: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .proxy(None)
        .http_status_as_error(false)
        .build()
        .into()
}

fn body(url: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<String, String> {
    let failed = |error| format!("{url}: {error}");
    let mut response = answer.map_err(failed)?;
    let status = response.status();
    let body = response.body_mut().read_to_string().map_err(failed)?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{url} answered {status}: {body}"))
    }
}
