use actix_web::http::StatusCode;

/// Where the kinds of problems are explained, each below its code.
pub(crate) const PAGE: &str = "/docs/errors";

/// A kind of problem. Its name is stable: programs may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    UnknownParameter,
    RepeatedParameter,
    UnreadableParameter,
    MissingParameter,
    ParameterOutOfRange,
    StartAfterEnd,
    TooManyPoints,
    UnknownRegion,
    UnknownReason,
    UnknownTopic,
    BeyondRetention,
    NotFound,
    MethodNotAllowed,
    Internal,
    StoreUnavailable,
    QueryTimedOut,
    LanesUnavailable,
}

impl Code {
    pub(crate) const ALL: [Self; 17] = [
        Self::UnknownParameter,
        Self::RepeatedParameter,
        Self::UnreadableParameter,
        Self::MissingParameter,
        Self::ParameterOutOfRange,
        Self::StartAfterEnd,
        Self::TooManyPoints,
        Self::UnknownRegion,
        Self::UnknownReason,
        Self::UnknownTopic,
        Self::BeyondRetention,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Internal,
        Self::StoreUnavailable,
        Self::QueryTimedOut,
        Self::LanesUnavailable,
    ];

    /// As it stands in answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownParameter => "unknown_parameter",
            Self::RepeatedParameter => "repeated_parameter",
            Self::UnreadableParameter => "unreadable_parameter",
            Self::MissingParameter => "missing_parameter",
            Self::ParameterOutOfRange => "parameter_out_of_range",
            Self::StartAfterEnd => "start_after_end",
            Self::TooManyPoints => "too_many_points",
            Self::UnknownRegion => "unknown_region",
            Self::UnknownReason => "unknown_reason",
            Self::UnknownTopic => "unknown_topic",
            Self::BeyondRetention => "beyond_retention",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Internal => "internal",
            Self::StoreUnavailable => "store_unavailable",
            Self::QueryTimedOut => "query_timed_out",
            Self::LanesUnavailable => "lanes_unavailable",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::UnknownParameter | Self::RepeatedParameter | Self::UnreadableParameter => {
                StatusCode::BAD_REQUEST
            }
            Self::MissingParameter
            | Self::ParameterOutOfRange
            | Self::StartAfterEnd
            | Self::TooManyPoints
            | Self::UnknownRegion
            | Self::UnknownReason
            | Self::UnknownTopic
            | Self::BeyondRetention => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::StoreUnavailable | Self::QueryTimedOut | Self::LanesUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What it means and what to do, whatever the request.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::UnknownParameter => {
                "There is no parameter of this name; the hint lists those that there are."
            }
            Self::RepeatedParameter => "A parameter is given twice. Give it once.",
            Self::UnreadableParameter => {
                "The text of a parameter cannot be read; the hint says what can be."
            }
            Self::MissingParameter => {
                "A parameter is missing that the request needs; the hint says what is allowed."
            }
            Self::ParameterOutOfRange => {
                "A value can be read, but is not allowed; the hint says what is."
            }
            Self::StartAfterEnd => "The range ends before it begins.",
            Self::TooManyPoints => {
                "The answer would have over 10,000 points or cells. Take a wider unit, a shorter range, or fewer periods."
            }
            Self::UnknownRegion => "There is no such state or city, or no such city in the state.",
            Self::UnknownReason => {
                "There is no such reason code; the hint lists those that there are."
            }
            Self::UnknownTopic => {
                "The topic is neither read nor among the dead letters; the hint lists those that are."
            }
            Self::BeyondRetention => {
                "The answer needs stored events that are gone: of a bound off the quarters of an hour, or, of a funnel, of the whole range. The hint names what can be served."
            }
            Self::NotFound => "There is nothing at this path.",
            Self::MethodNotAllowed => {
                "The path answers other methods; the header Allow names them."
            }
            Self::Internal => {
                "The request could not be answered, and trying again will not help. Report the request_id."
            }
            Self::StoreUnavailable => {
                "The database of the events does not answer. Try again after the seconds of Retry-After."
            }
            Self::QueryTimedOut => {
                "The database of the events did not answer in time. Try again after the seconds of Retry-After, or ask for less."
            }
            Self::LanesUnavailable => {
                "The database of the lanes does not answer. Try again after the seconds of Retry-After."
            }
        }
    }

    /// The code of a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The `type` of a problem document: a reference to where it is explained.
    pub(crate) fn reference(self) -> String {
        format!("{PAGE}/{}", self.as_str())
    }
}
