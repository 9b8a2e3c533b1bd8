use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::funnel::{self, FunnelAnalysis, Question};

use super::{DEEDS, keeping};
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{
        CellsParameters, FunnelParameters, Parameter, RangeParameters, RegionParameters, opened,
        steps, window,
    },
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&DEEDS, Reach::Onwards);

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<FunnelParameters>);

/// How many people get how far along some steps
///
/// The rule that was applied stands in the answer, with its window, order and tie-breaking. The events of the last 90 days
/// are stored; a range that begins before is refused.
#[utoipa::path(
    get,
    path = "/v1/analytics/funnel",
    tag = "analytics",
    operation_id = "get_funnel",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, FunnelParameters, CellsParameters),
    responses((status = 200, description = "The funnel", body = Answer<FunnelAnalysis>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "funnel_steps": [{
            "step_name": "Booking Created",
            "event_type": "booking.created",
            "step_number": 1,
            "count": 800,
            "conversion_rate": 100.0,
            "drop_off_rate": null,
            "median_seconds_from_previous": null
        }, {
            "step_name": "Trip Completed",
            "event_type": "trip.completed",
            "step_number": 2,
            "count": 600,
            "conversion_rate": 75.0,
            "drop_off_rate": 25.0,
            "median_seconds_from_previous": 8214.5
        }],
        "total_users_entered": 800,
        "total_users_converted": 600,
        "overall_conversion_rate": 75.0,
        "rule": {
            "name": "earliest-match/ordered/1",
            "description": "A person is the user_id or rider_id of an event. ...",
            "definition": "/v1/definitions/funnel",
            "order": "ordered",
            "window_seconds": 2592000,
            "tie_breaking": [["user.registered"], ["user.kyc_verified"], ["booking.cancelled", "trip.cancelled"]]
        }
    })))
)]
pub(crate) async fn funnel(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &PARAMETERS)?
        .with_cells(&services)
        .await?;
    let given = &asked.given;
    let order = given.one_of("order")?;
    let breakdown = given.one_of("breakdown")?;
    let question = Question::new(
        asked.selection.clone(),
        steps(given)?,
        order.unwrap_or_default(),
        window(given)?,
        breakdown,
    );
    question.check_kept()?;
    let metrics = async |_| funnel::ask(&asked.store(&services), &question).await;
    asked
        .answer(&services, KEEPING, question.unsettled_facts(), metrics)
        .await
}
