use shared_schema::access::Role;
use utoipa::{
    Modify,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        example::ExampleBuilder,
        extensions::ExtensionsBuilder,
        path::{Operation, ParameterIn},
    },
};

use super::{
    callers::{operations, role},
    examples::example,
};
use crate::http::{Code, problem};

/// Where a response says which codes its problems have, for programs.
const CODES: &str = "x-codes";

/// What every operation may answer instead.
pub(super) struct Problems;

impl Modify for Problems {
    fn modify(&self, api: &mut OpenApi) {
        for (path, item) in &mut api.paths.paths {
            for operation in operations(item) {
                let asked = Asked::by(path, operation);
                let can_give = Code::ALL.iter().filter(|code| asked.can_give(**code));
                let mut codes: Vec<Code> = can_give.copied().collect();
                codes.sort_by_key(|code| code.status().as_u16());
                for codes in codes.chunk_by(|one, other| one.status() == other.status()) {
                    let status = codes.first().map(|code| code.status().as_str().to_owned());
                    let responses = &mut operation.responses.responses;
                    responses.extend(status.map(|status| (status, RefOr::T(response(codes)))));
                }
            }
        }
        let components = api.components.get_or_insert_default();
        let examples = Code::ALL.iter().map(|code| {
            let example = ExampleBuilder::new()
                .summary(code.meaning())
                .value(Some(problem::example(&example(*code))))
                .build();
            (code.as_str().to_owned(), RefOr::T(example))
        });
        components.examples.extend(examples);
    }
}

/// The problems of one status.
fn response(codes: &[Code]) -> Response {
    let lines: Vec<String> = codes
        .iter()
        .map(|code| format!("- `{}`: {}", code.as_str(), code.meaning()))
        .collect();
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
    content.examples = names
        .iter()
        .map(|name| {
            let reference = Ref::new(format!("#/components/examples/{name}"));
            ((*name).to_owned(), RefOr::Ref(reference))
        })
        .collect();
    let mut response = ResponseBuilder::new()
        .description(lines.join("\n"))
        .content("application/problem+json", content)
        .build();
    response.extensions = Some(ExtensionsBuilder::new().add(CODES, names).build());
    response
}

/// What an operation is asked with, on which it depends what can be wrong.
struct Asked {
    path: String,
    /// The parameters of the query.
    parameters: Vec<String>,
    has_body: bool,
    role: Role,
}

impl Asked {
    fn by(path: &str, operation: &Operation) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let of_query = parameters.filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
                Some(parameter.name.clone())
            }
            _ => None,
        });
        Self {
            path: path.to_owned(),
            parameters: of_query.collect(),
            has_body: operation.request_body.is_some(),
            role: role(operation),
        }
    }

    fn takes(&self, names: &[&str]) -> bool {
        self.parameters
            .iter()
            .any(|name| names.contains(&name.as_str()))
    }

    fn is_below(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.path.starts_with(path))
    }

    fn reads_lanes(&self) -> bool {
        self.is_below(&["/v1/metrics/", "/v1/analytics/", "/v1/pipeline/"])
    }

    fn can_give(&self, code: Code) -> bool {
        match code {
            Code::UnknownParameter
            | Code::Unauthenticated
            | Code::RateLimited
            | Code::ForeignPage
            | Code::Internal
            | Code::AccessUnavailable => true,
            Code::RepeatedParameter => !self.parameters.is_empty(),
            // a name of a place, a reason or a topic is a text in any case
            Code::UnreadableParameter => {
                let is_text =
                    |name: &String| ["state", "city", "reason", "topic"].contains(&name.as_str());
                !self.parameters.iter().all(is_text)
            }
            Code::MissingParameter => {
                self.takes(&["include_time_series", "cell"]) || self.path.ends_with("/trends")
            }
            Code::ParameterOutOfRange => self.takes(&[
                "limit",
                "steps",
                "window",
                "periods",
                "compare",
                "user_type",
                "include_cells",
            ]),
            Code::CellsNotConfigured => self.takes(&["include_cells", "cell"]),
            Code::CellExpired => self.takes(&["cell"]),
            Code::PersonalData => self.takes(&["include_bytes"]),
            Code::StartAfterEnd => self.takes(&["start_date"]),
            Code::TooManyPoints => self.takes(&["granularity", "periods"]),
            Code::UnknownRegion => self.takes(&["state"]),
            Code::OutOfScope => self.takes(&["state"]) || self.is_below(&["/v1/pipeline/"]),
            Code::UnknownReason => self.takes(&["reason"]),
            Code::UnknownTopic => self.takes(&["topic"]),
            Code::BeyondRetention => {
                self.takes(&["cell"])
                    || self.takes(&["start_date"])
                        && self.is_below(&["/v1/metrics/", "/v1/analytics/"])
            }
            Code::Forbidden => self.role > Role::Viewer || self.takes(&["include_cells"]),
            Code::UnreadableBody
            | Code::UnsupportedMediaType
            | Code::FieldOutOfRange
            | Code::BodyTooLarge
            | Code::BodyTimedOut => self.has_body,
            Code::NotFound => self.path.contains('{') || self.takes(&["cell"]),
            // of a path, not of what it does by a method
            Code::MethodNotAllowed | Code::PreflightRefused => false,
            Code::KeyIsOver => self.path.ends_with("/rotate"),
            Code::StoreUnavailable | Code::QueryTimedOut | Code::QueryTooLarge | Code::Busy => {
                self.reads_lanes() || self.takes(&["cell"])
            }
            Code::LanesUnavailable => self.reads_lanes(),
        }
    }
}
