use serde_json::{Value, json};
use utoipa::{
    Modify,
    openapi::{
        Components, Header, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        header::HeaderBuilder,
        schema::{ObjectBuilder, Schema, Type},
    },
};

use super::callers::operations;
use crate::cache::STALE;

/// What is said beside every answer, and of answers that are kept.
pub(super) struct Answers;

/// What answers that are kept say of that.
const KEPT: [&str; 4] = ["ETag", "Cache-Control", "X-Cache", "Warning"];

/// What every answer says to a caller that is known, where requests are limited; shown where programs go by it.
const LIMITS: [&str; 3] = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];

impl Modify for Answers {
    fn modify(&self, api: &mut OpenApi) {
        for (path, item) in &mut api.paths.paths {
            let is_kept = path.starts_with("/v1/metrics/") || path.starts_with("/v1/analytics/");
            for operation in operations(item) {
                let responses = &mut operation.responses.responses;
                if is_kept {
                    let unchanged = ResponseBuilder::new()
                        .description("The answer is the one whose tag was sent in `If-None-Match`.")
                        .build();
                    responses.insert("304".to_owned(), RefOr::T(unchanged));
                }
                for (status, response) in responses {
                    if let RefOr::T(response) = response {
                        say_beside(response, status, is_kept);
                    }
                }
            }
        }
        let components = api.components.get_or_insert_default();
        describe(components);
    }
}

/// Names the headers of an answer.
fn say_beside(response: &mut Response, status: &str, is_kept: bool) {
    let mut names = vec!["X-Request-Id"];
    if ["200", "201", "304", "429"].contains(&status) {
        names.extend(LIMITS);
    }
    match status {
        "200" | "304" if is_kept => names.extend(KEPT),
        "401" => names.push("WWW-Authenticate"),
        "429" | "503" => names.push("Retry-After"),
        _ => {}
    }
    for name in names {
        let reference = Ref::new(format!("#/components/headers/{name}"));
        response
            .headers
            .insert(name.to_owned(), RefOr::Ref(reference));
    }
}

/// What the headers of answers mean.
fn describe(components: &mut Components) {
    let headers = [
        (
            "X-Request-Id",
            text(
                "The id of the request: its own `X-Request-Id`, or one that was made for it.",
                json!("01977c3a-8d2e-7f10-9c55-0b3a4f1e2d6c"),
            ),
        ),
        (
            "WWW-Authenticate",
            text(
                "How a caller can say who it is.",
                json!("Bearer realm=\"openride\""),
            ),
        ),
        (
            "RateLimit-Limit",
            number("Requests that the caller may make in a minute.", json!(600)),
        ),
        (
            "RateLimit-Remaining",
            number("Those that are left of this minute.", json!(598)),
        ),
        (
            "RateLimit-Reset",
            number("Seconds until the next minute begins.", json!(42)),
        ),
        (
            "Retry-After",
            number("Seconds after which the request may be repeated.", json!(2)),
        ),
        (
            "ETag",
            text(
                "The tag of this answer, for `If-None-Match`.",
                json!("\"5b4c0f1a9d3e7c62\""),
            ),
        ),
        (
            "Cache-Control",
            text(
                "`private, max-age=` the seconds for which the answer may still be shown. `no-cache` in a request asks for an answer that is made for it, `no-store` for one that is kept by nobody.",
                json!("private, max-age=300"),
            ),
        ),
        (
            "X-Cache",
            text(
                "`hit`, `miss` or `bypass`: whether the answer was kept, made, or made although one may be kept.",
                json!("hit"),
            ),
        ),
        (
            "Warning",
            text(
                "`110`, where the answer is older than it may be because a database does not answer or is too busy to be asked.",
                json!(STALE),
            ),
        ),
    ];
    let headers = headers.map(|(name, header)| (name.to_owned(), RefOr::T(header)));
    components.headers.extend(headers);
}

fn text(description: &str, example: Value) -> Header {
    header(Type::String, description, example)
}

fn number(description: &str, example: Value) -> Header {
    header(Type::Integer, description, example)
}

fn header(kind: Type, description: &str, example: Value) -> Header {
    let schema: Schema = ObjectBuilder::new().schema_type(kind).into();
    let mut header = HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build();
    header.example = Some(example);
    header
}
