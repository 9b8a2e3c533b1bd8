use std::fmt::Write as _;

use actix_web::{
    HttpResponse,
    http::header::ContentType,
    web::{Path, ServiceConfig},
};

use super::code::{Code, PAGE};
use crate::{error::ApiError, routes::Methods};

/// The pages that the `type` of every problem document points to, and one that lists them.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(Methods::at(PAGE).shows(list).for_all())
        .service(
            Methods::at(&format!("{PAGE}/{{code}}"))
                .shows(explanation)
                .for_all(),
        );
}

async fn list() -> HttpResponse {
    page("Problems", Code::ALL)
}

async fn explanation(name: Path<String>) -> Result<HttpResponse, ApiError> {
    let code = Code::parse(&name).ok_or(ApiError::NotFound)?;
    Ok(page(code.as_str(), &[code]))
}

fn page(title: &str, codes: &[Code]) -> HttpResponse {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<dl>\n"
    );
    for code in codes {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<dt><a href=\"{reference}\"><code>{name}</code></a> ({status})</dt>\n<dd>{meaning}</dd>",
            reference = code.reference(),
            name = code.as_str(),
            status = code.status(),
            meaning = code.meaning(),
        );
    }
    text.push_str("</dl>\n</body>\n</html>\n");
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .body(text)
}
