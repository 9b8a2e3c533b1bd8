use actix_web::{
    HttpResponse,
    http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE},
};
use problem_details::{JsonProblemDetails, ProblemDetails};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::RequestId;
use crate::error::ApiError;

/// What a problem document has beside the members of RFC 9457.
#[derive(Clone, Debug, Serialize)]
struct Members {
    code: &'static str,
    hint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// A problem document (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes how a problem is written")]
pub(crate) struct Problem {
    /// Stable: a reference, relative to this service, to where this kind of problem is explained.
    #[schema(example = "/docs/errors/unknown_parameter")]
    r#type: String,
    /// What the HTTP status says.
    #[schema(example = "Bad Request")]
    title: String,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What is wrong with this request.
    #[schema(example = "from: there is no such parameter")]
    detail: String,
    /// Stable; programs may rely on it.
    #[schema(example = "unknown_parameter")]
    code: String,
    /// What to do about it.
    #[schema(example = "Allowed are start_date, end_date, tz.")]
    hint: String,
    /// The parameter at fault, if one is.
    #[schema(example = "from")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// The same as in the header `X-Request-Id`.
    request_id: String,
}

/// The answer to a request that is not answered.
pub(crate) fn response(error: &ApiError, id: Option<&RequestId>) -> HttpResponse {
    let id = id.map(ToString::to_string);
    let mut response = HttpResponse::build(error.verdict().code.status());
    response.content_type(JsonProblemDetails::<Members>::CONTENT_TYPE);
    if let Some(seconds) = error.retry_after() {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    if let ApiError::MethodNotAllowed(methods) = error {
        response.insert_header((ALLOW, methods.as_str()));
    }
    if let ApiError::Unauthenticated(_) = error {
        response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"openride\""));
    }
    response.json(document(error, id))
}

/// The same as the description of the API shows it.
pub(crate) fn example(error: &ApiError) -> Value {
    let id = "01977c3a-8d2e-7f10-9c55-0b3a4f1e2d6c".to_owned();
    json!(document(error, Some(id)))
}

fn document(error: &ApiError, request_id: Option<String>) -> ProblemDetails<Members> {
    let verdict = error.verdict();
    let members = Members {
        code: verdict.code.as_str(),
        hint: verdict.hint,
        parameter: verdict.parameter,
        request_id,
    };
    // Two generations of the same crate: the framework's status is not the document's.
    let status = http::StatusCode::from_u16(verdict.code.status().as_u16())
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let document = ProblemDetails::from_status_code(status)
        .with_detail(verdict.detail)
        .with_extensions(members);
    match http::Uri::try_from(verdict.code.reference()) {
        Ok(reference) => document.with_type(reference),
        Err(_) => document,
    }
}
