use std::{collections::BTreeSet, sync::LazyLock};

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::{
    Ask, LONGEST_TOPIC,
    dead_letters::{self, Filter, Page},
    time::DateRange,
};
use serde::Serialize;
use shared_schema::ReasonCode;
use utoipa::ToSchema;

use crate::{
    access::Caller,
    error::ApiError,
    parameters::{
        DeadLetterParameters, Fault, Given, Parameter, ParameterError, RangeParameters, dates,
        documented, number, number_within,
    },
    services::Services,
};

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    [
        documented::<RangeParameters>(),
        documented::<DeadLetterParameters>(),
    ]
    .concat()
});

/// A record may have more than a MiB.
const MOST_WITH_BYTES: u64 = 10;

/// A page of dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterPage {
    /// What was asked for, made explicit.
    date_range: DateRange,
    #[serde(flatten)]
    page: Page,
}

/// The records that are no event, and why
///
/// Those that were decided about in the range, the latest first. Their bytes, which may hold personal data, are shown with
/// `include_bytes=true` to callers that may see such data, ten records at a time.
#[utoipa::path(
    get,
    path = "/v1/pipeline/dead-letters",
    tag = "pipeline",
    operation_id = "list_dead_letters",
    extensions(("x-role" = json!("analyst"))),
    params(RangeParameters, DeadLetterParameters),
    responses((status = 200, description = "A page of the list", body = DeadLetterPage, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "dead_letters": [{
            "reason": "missing_field",
            "path": "$.total_price",
            "detail": "a required field is missing",
            "topic": "openride.events.booking",
            "partition": 0,
            "offset": 1234,
            "kafka_timestamp": "2024-01-31T10:30:00.000Z",
            "decided_at": "2024-01-31T10:30:00.412Z",
            "bytes": 412
        }],
        "next_cursor": "1706697000412.0.1234.openride.events.booking"
    })))
)]
pub(crate) async fn dead_letters(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let given = Given::read(request.query_string(), &PARAMETERS)?;
    let with_bytes = given.flag("include_bytes")?;
    if with_bytes && !caller.may_read_pii {
        return Err(ApiError::NoPersonalData);
    }
    let limit = match with_bytes {
        true => number_within(&given, "limit", MOST_WITH_BYTES, 1..=MOST_WITH_BYTES)?,
        false => number(&given, &PARAMETERS, "limit")?,
    };
    let filter = Filter {
        reason: reason(&given)?,
        topic: given.get("topic").map(str::to_owned),
        range: dates(&given, services.clock.now())?,
        after: given.parsed(
            "cursor",
            "Allowed is the next_cursor of an answer, unchanged.",
        )?,
        limit,
        with_bytes,
    };
    let is_too_long = |topic: &String| topic.len() > LONGEST_TOPIC;
    let rows = match filter.topic.as_ref().is_some_and(is_too_long) {
        true => Vec::new(),
        false => {
            let clickhouse = services.clickhouse.whole(&caller);
            clickhouse
                .rows("dead letters", &dead_letters::query(&filter))
                .await?
        }
    };
    if let Some(topic) = filter.topic.as_ref().filter(|_| rows.is_empty()) {
        // a topic that is mistyped must not pass for one without dead letters
        known(&services, &caller, topic).await?;
    }
    let page = dead_letters::assemble(&filter, rows);
    Ok(HttpResponse::Ok().json(DeadLetterPage {
        date_range: filter.range,
        page,
    }))
}

/// Refuses a topic that is neither read nor has dead letters.
async fn known(services: &Services, caller: &Caller, topic: &str) -> Result<(), ApiError> {
    let with_letters: Vec<String> = services
        .clickhouse
        .whole(caller)
        .rows("dead letters: topics", &dead_letters::topics())
        .await?;
    let read = services.lanes.all().await?;
    let read = read.into_iter().map(|lane| lane.topic);
    let topics: BTreeSet<String> = with_letters.into_iter().chain(read).collect();
    if topics.contains(topic) {
        return Ok(());
    }
    let allowed = match topics.is_empty() {
        true => "No topic has been read yet.".to_owned(),
        false => {
            let topics: Vec<String> = topics.into_iter().collect();
            format!("Allowed are {}.", topics.join(", "))
        }
    };
    let why = "no such topic is known";
    Err(ParameterError::new("topic", Fault::UnknownTopic, why, allowed).into())
}

fn reason(given: &Given) -> Result<Option<ReasonCode>, ParameterError> {
    let Some(text) = given.get("reason") else {
        return Ok(None);
    };
    let refused = || {
        let codes: Vec<&str> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
        let allowed = format!("Allowed are {}.", codes.join(", "));
        ParameterError::new(
            "reason",
            Fault::UnknownReason,
            "there is no such reason code",
            allowed,
        )
    };
    ReasonCode::parse(text).map(Some).ok_or_else(refused)
}
