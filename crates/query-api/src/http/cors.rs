//! Cross-origin resource sharing: which pages may read what the API answers.
//!
//! Keys and tokens travel in headers that a page has to set itself, never in cookies; browsers are therefore never told
//! to send credentials of their own.

use actix_cors::{Cors, CorsError};
use actix_web::{
    HttpResponse,
    http::{
        Method,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, IF_NONE_MATCH},
    },
    middleware::Condition,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Problem, Settings};
use url::Url;

use super::request_id;
use crate::access::X_API_KEY;

/// Every origin.
const ANY: &str = "*";

/// What pages may do.
const METHODS: [Method; 4] = [Method::GET, Method::HEAD, Method::POST, Method::DELETE];

/// What pages may read of an answer, beside what browsers always show.
const EXPOSED: [&str; 9] = [
    "ETag",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "Warning",
    "X-Cache",
    "X-Request-Id",
];

/// Pages of other origins that may ask, from browsers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// The origins of the pages, each as browsers write it: `https://dashboard.example.com`, with the port if it is not the
    /// usual one. `*` alone allows every origin, but not where `auth.mode` is off. Without any, no page of another origin
    /// may read an answer.
    pub origins: Vec<String>,
    /// How long a browser may remember that a page may ask; browsers have limits of their own.
    pub max_age: HumanDuration,
}

impl Default for CorsConfig {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            max_age: HumanDuration::secs(3600),
        }
    }
}

impl CorsConfig {
    /// Whether every page may ask.
    pub(crate) fn allows_any(&self) -> bool {
        self.origins.iter().any(|origin| origin == ANY)
    }
}

impl Settings for CorsConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        if self.allows_any() {
            let message = "* allows every origin and must stand alone";
            let beside = self.origins.len() > 1;
            return Problem::none_of(beside.then(|| Problem::new("origins", message)));
        }
        let refused = self.origins.iter().filter_map(|origin| refused(origin));
        Problem::none_of(refused.map(|message| Problem::new("origins", message)))
    }
}

/// What is wrong with an origin: it is compared as a text with what browsers send.
fn refused(text: &str) -> Option<String> {
    let form = "an origin is http or https, a host, and a port if it is not the usual one, as https://dashboard.example.com";
    let url = Url::parse(text).ok();
    // a pattern would be compared as a text, too, and allow nothing
    let is_origin = |url: &Url| ["http", "https"].contains(&url.scheme()) && !text.contains(ANY);
    let url = url.filter(is_origin);
    match url.map(|url| url.origin().ascii_serialization()) {
        None => Some(format!("{text:?} is no origin: {form}")),
        Some(origin) if origin != text => Some(format!(
            "{text:?} is no origin; did you mean {origin}? {form}"
        )),
        Some(_) => None,
    }
}

/// Tells browsers which pages may read answers, and answers what they ask before (preflight requests), without a key and
/// without counting it. Does nothing where no origin is configured.
pub(crate) fn sharing(config: &CorsConfig) -> Condition<Cors> {
    let max_age = usize::try_from(config.max_age.get().as_secs()).unwrap_or(usize::MAX);
    let headers = [AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, IF_NONE_MATCH];
    let cors = Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers(headers)
        .allowed_headers([X_API_KEY, request_id::HEADER])
        .allowed_headers(["traceparent", "tracestate"])
        .expose_headers(EXPOSED)
        .max_age(max_age);
    let cors = match config.allows_any() {
        true => cors.allow_any_origin().send_wildcard(),
        false => config
            .origins
            .iter()
            .fold(cors, |cors, origin| cors.allowed_origin(origin)),
    };
    Condition::new(!config.origins.is_empty(), cors)
}

/// Why a preflight request was refused, if this is the answer to one.
pub(super) fn refusal<B>(response: &HttpResponse<B>) -> Option<CorsError> {
    let error = response.error()?.as_error::<CorsError>();
    error.cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(origins: &[&str]) -> Vec<String> {
        let config = CorsConfig {
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            ..CorsConfig::default()
        };
        let found = config.validate().err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        assert!(problems(&[]).is_empty());
        assert!(problems(&["*"]).is_empty());
        assert!(problems(&["https://a.example", "http://localhost:3000"]).is_empty());
        for (wrong, meant) in [
            ("https://a.example/", "https://a.example"),
            ("https://a.example:443", "https://a.example"),
            ("https://A.example/page?x=1", "https://a.example"),
            ("https://user@a.example", "https://a.example"),
        ] {
            let found = problems(&["https://b.example", wrong]);
            assert_eq!(found.len(), 1, "{wrong}");
            let hint = format!("did you mean {meant}?");
            assert!(
                found[0].starts_with("origins: ") && found[0].contains(&hint),
                "{found:?}"
            );
        }
        for wrong in [
            "a.example",
            "null",
            "",
            "file:///tmp",
            "https://*.example",
            "https://",
        ] {
            assert_eq!(problems(&[wrong]).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn every_origin_stands_alone() {
        assert_eq!(
            problems(&["*", "https://a.example"]),
            ["origins: * allows every origin and must stand alone"]
        );
    }
}
