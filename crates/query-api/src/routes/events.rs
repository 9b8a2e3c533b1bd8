use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::{
    Ask,
    cells::{self, EventPage, Pin},
    time::DateRange,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::Caller,
    cells::CellError,
    error::ApiError,
    parameters::{EventsParameters, Given, Parameter, cell, documented, number},
    services::Services,
};

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(documented::<EventsParameters>);

/// A page of the events behind a count.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Events {
    /// The time that the count is about.
    date_range: DateRange,
    /// What was durable and settled when they were counted: no later event is among them.
    pinned: Pin,
    #[serde(flatten)]
    page: EventPage,
}

/// The events behind a count
///
/// As many as the count that the cell stands beside, the earliest first, whatever has been stored or settled since. Of a
/// count of people each is listed once, with the first event that counts them; of users by region, with the last; of a step
/// of a funnel, with the one that took it; of a cohort or the users of retention, with the first registration. Trips under
/// way are listed with their start. `state` and `city` are those of then.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    operation_id = "list_events_of_cell",
    extensions(("x-role" = json!("analyst"))),
    params(EventsParameters),
    responses((status = 200, description = "A page of the list", body = Events, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "pinned": {
            "next_offsets": {"openride.events.booking": [1200, 1234]},
            "carried": {"openride.events.booking": ["booking"]},
            "settled_through": "2024-02-01T08:29:58.412Z",
            "made_at": "2024-02-01T08:30:00.250Z"
        },
        "events": [{
            "event_id": "018d3f5e-6f0a-7000-8000-000000000005",
            "event_type": "booking.created",
            "event_timestamp": "2024-01-31T10:30:00.125Z",
            "entity_id": "018d3f5e-6f0a-7000-8000-000000000003",
            "state": "Lagos",
            "city": "Ikeja",
            "topic": "openride.events.booking",
            "partition": 1,
            "offset": 1233
        }],
        "next_cursor": "1706697000125.1.1233.openride.events.booking~018d3f5e-6f0a-7000-8000-000000000003"
    })))
)]
pub(crate) async fn events(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let now = services.clock.now();
    let given = Given::read(request.query_string(), &PARAMETERS)?;
    let limit = number(&given, &PARAMETERS, "limit")?;
    let after = given.parsed(
        "cursor",
        "Allowed is the next_cursor of an answer, unchanged.",
    )?;
    let cell = services.opener.open(cell(&given)?, &caller, now)?;
    cell.check_kept(now).map_err(ApiError::CellTooOld)?;
    let query = cells::query(&cell, after.as_ref(), limit);
    let store = services.store_of(&caller);
    let rows = store.rows("cells: events", &query).await?;
    Ok(HttpResponse::Ok().json(Events {
        date_range: cell.date_range().map_err(|_| CellError::NotOne)?,
        page: cells::assemble(limit, rows),
        pinned: cell.pin,
    }))
}
