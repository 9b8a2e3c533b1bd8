//! What every request and answer has: an id, a place in the log and in the metrics, and problem documents.

mod answered;
mod code;
mod connection;
mod cors;
mod pieces;
pub(crate) mod problem;
pub(crate) mod problem_page;
mod request_id;
mod requests;
mod trace;

use std::time::Instant;

use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use tracing::{Instrument, debug, error, info_span, warn};

pub use self::cors::CorsConfig;
use self::{answered::Answered, connection::Sent};
pub(crate) use self::{
    code::Code, connection::Connection, cors::sharing, pieces::Pieces, request_id::RequestId,
    requests::Requests, trace::continue_trace,
};
use crate::{access, error::ApiError};

/// Gives the request its id and the answer its frame.
pub(crate) async fn framed(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = RequestId::of(request.headers());
    let span = info_span!(
        "request",
        otel.kind = "server",
        request_id = %id,
    );
    request.extensions_mut().insert(id.clone());
    let answering = request.conn_data::<Connection>().map(Connection::answering);
    let running = match access::is_guarded(request.path()) {
        true => {
            let waiting = trace::Waiting(span.clone());
            request.extensions_mut().insert(waiting);
            trace::logged(&id)
        }
        false => span.clone(),
    };
    let began = Instant::now();
    let requests = request.app_data::<Data<Requests>>().cloned();
    let response = next.call(request).instrument(running).await?;
    let _entered = span.enter();
    let answered = Answered::of(&response, began);
    answered.log();
    answered.record(&span);
    if let Some(requests) = requests {
        requests.count(&answered);
    }
    let refused = match cors::refusal(response.response()) {
        Some(error) => Some(ApiError::Preflight(error)),
        None => refused(response.status()),
    };
    let own = response
        .response()
        .error()
        .and_then(Error::as_error::<ApiError>);
    let mut response = match own.or(refused.as_ref()) {
        Some(problem) => {
            report(problem);
            let mut document = problem::response(problem, Some(&id));
            // headers that were set before the refusal, as RateLimit-Remaining
            for (name, value) in response.headers() {
                if !document.headers().contains_key(name) {
                    document.headers_mut().insert(name.clone(), value.clone());
                }
            }
            response.into_response(document)
        }
        None => response.map_into_boxed_body(),
    };
    if let Ok(value) = HeaderValue::try_from(id.as_str()) {
        response.headers_mut().insert(request_id::HEADER, value);
    }
    if !response.headers().contains_key(CACHE_CONTROL) {
        let kept_by_nobody = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, kept_by_nobody);
    }
    Ok(response.map_body(|_, body: BoxBody| Sent {
        body,
        _answering: answering,
    }))
}

/// What a status means that is answered without a problem document by what is not ours.
fn refused(status: StatusCode) -> Option<ApiError> {
    match status {
        StatusCode::NOT_FOUND => Some(ApiError::NotFound),
        // the probes, which show something
        StatusCode::METHOD_NOT_ALLOWED => Some(ApiError::MethodNotAllowed("GET, HEAD".to_owned())),
        _ => None,
    }
}

/// Errors are logged here and nowhere else: what the client did wrong is no news, an outage is, and what is neither
/// must be looked at.
fn report(problem: &ApiError) {
    let verdict = problem.verdict();
    match verdict.code.status() {
        StatusCode::INTERNAL_SERVER_ERROR => {
            error!(code = verdict.code.as_str(), error = %problem, "the request failed")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            warn!(code = verdict.code.as_str(), error = %problem, "the request cannot be answered")
        }
        _ => debug!(code = verdict.code.as_str(), error = %problem, "the request was refused"),
    }
}
