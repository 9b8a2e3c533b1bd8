use actix_web::http::StatusCode;

/// Where the kinds of problems are explained, each below its code.
pub(crate) const PAGE: &str = "/docs/errors";

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:ident, $meaning:literal;)+) => {
        /// A kind of problem. Its name is stable: programs may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($variant,)+ }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As it stands in answers.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// What it means and what to do, whatever the request.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

codes! {
    UnknownParameter = "unknown_parameter", BAD_REQUEST,
        "There is no parameter of this name; the hint lists those that there are.";
    RepeatedParameter = "repeated_parameter", BAD_REQUEST,
        "A parameter is given twice. Give it once.";
    UnreadableParameter = "unreadable_parameter", BAD_REQUEST,
        "The text of a parameter cannot be read; the hint says what can be.";
    MissingParameter = "missing_parameter", UNPROCESSABLE_ENTITY,
        "A parameter is missing that the request needs; the hint says what is allowed.";
    ParameterOutOfRange = "parameter_out_of_range", UNPROCESSABLE_ENTITY,
        "A value can be read, but is not allowed; the hint says what is.";
    StartAfterEnd = "start_after_end", UNPROCESSABLE_ENTITY,
        "The range ends before it begins.";
    TooManyPoints = "too_many_points", UNPROCESSABLE_ENTITY,
        "The answer would have over 10,000 points or cells. Take a wider unit, a shorter range, or fewer periods.";
    UnknownRegion = "unknown_region", UNPROCESSABLE_ENTITY,
        "There is no such state or city, or no such city in the state.";
    UnknownReason = "unknown_reason", UNPROCESSABLE_ENTITY,
        "There is no such reason code; the hint lists those that there are.";
    UnknownTopic = "unknown_topic", UNPROCESSABLE_ENTITY,
        "The topic is neither read nor among the dead letters; the hint lists those that are.";
    BeyondRetention = "beyond_retention", UNPROCESSABLE_ENTITY,
        "The answer needs stored events that are gone: of a bound off the quarters of an hour, or, of a funnel and of counts that are to be opened, of the whole range. The hint names what can be served.";
    QueryTooLarge = "query_too_large", UNPROCESSABLE_ENTITY,
        "The answer needs more memory than the database of the events gives to one statement, http.query_memory (OPENRIDE_HTTP_QUERY_MEMORY). Ask for less: a shorter range, fewer points or periods.";
    CellsNotConfigured = "cells_not_configured", UNPROCESSABLE_ENTITY,
        "Counts cannot be opened here: no secret is configured that signs what opens them, cells.secret (OPENRIDE_CELLS_SECRET).";
    CellExpired = "cell_expired", GONE,
        "What opens a count is good for a while after its answer, and for the version of the API that made it. Ask for the answer again.";
    Unauthenticated = "unauthenticated", UNAUTHORIZED,
        "The request shows no API key or token that is valid. Send a key in X-API-Key, or a token in Authorization as Bearer.";
    Forbidden = "forbidden", FORBIDDEN,
        "The caller's role does not allow this; the hint says which does.";
    ForeignPage = "foreign_page", FORBIDDEN,
        "Without access control (auth.mode=off) the API answers its own machine only, and no page of elsewhere that is opened there: the header Host names localhost or a loopback address, and the header Origin, if there is one, the same or one of the setting http.cors.origins.";
    OutOfScope = "out_of_scope", FORBIDDEN,
        "The caller sees some regions only: the region that is asked for is none of them, or the path tells of all regions at once.";
    PersonalData = "personal_data", FORBIDDEN,
        "The caller may not see personal data. Use a key with `pii`, or a token with that claim.";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS,
        "The caller has made as many requests in this minute as it may. Try again after the seconds of Retry-After.";
    UnreadableBody = "unreadable_body", BAD_REQUEST,
        "The body is not the JSON that is asked for, or cannot be decoded; the detail says where.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "The body is not said to be JSON. Send it with Content-Type: application/json.";
    FieldOutOfRange = "field_out_of_range", UNPROCESSABLE_ENTITY,
        "A field of the body can be read, but is not allowed; the hint says what is.";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE,
        "The body has more than 64 KiB.";
    BodyTimedOut = "body_timed_out", REQUEST_TIMEOUT,
        "The body did not arrive in time. Send it again.";
    NotFound = "not_found", NOT_FOUND,
        "There is nothing at this path, or nothing of this name, id or token for this caller; the detail says which.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED,
        "The path answers other methods; the header Allow names them.";
    PreflightRefused = "preflight_refused", BAD_REQUEST,
        "A browser asks whether a page of this origin may send this method and these headers, and it may not. Origins are allowed by the setting http.cors.origins.";
    KeyIsOver = "key_is_over", CONFLICT,
        "The key was revoked or has expired. Make a new one.";
    Internal = "internal", INTERNAL_SERVER_ERROR,
        "The request could not be answered, and trying again will not help. Report the request_id.";
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE,
        "The database of the events does not answer. Try again after the seconds of Retry-After.";
    QueryTimedOut = "query_timed_out", SERVICE_UNAVAILABLE,
        "The database of the events did not answer in time. Try again after the seconds of Retry-After, or ask for less.";
    Busy = "busy", SERVICE_UNAVAILABLE,
        "So many statements were under way, of all callers (http.concurrent_queries, OPENRIDE_HTTP_CONCURRENT_QUERIES) or of this one (half of that), that the database of the events was not asked. Try again after the seconds of Retry-After, or ask less at once.";
    LanesUnavailable = "lanes_unavailable", SERVICE_UNAVAILABLE,
        "The database of the lanes does not answer. Try again after the seconds of Retry-After.";
    AccessUnavailable = "access_unavailable", SERVICE_UNAVAILABLE,
        "The database of the keys, or the issuer of tokens, does not answer. Try again after the seconds of Retry-After.";
}

impl Code {
    /// The code of a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The `type` of a problem document: a reference to where it is explained.
    pub(crate) fn reference(self) -> String {
        format!("{PAGE}/{}", self.as_str())
    }
}
