use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::funnel::{self, FunnelAnalysis, Question};

use super::parameters;
use crate::{
    answer::Answer,
    error::ApiError,
    parameters::{
        FunnelParameters, Given, RangeParameters, RegionParameters, dates, region, steps, window,
    },
    routes::asked::answer,
    services::Services,
};

static PARAMETERS: LazyLock<Vec<String>> = LazyLock::new(parameters::<FunnelParameters>);

/// How many people get how far along some steps
///
/// The rule that was applied stands in the answer, with its window, order and tie-breaking. The events of the last 90 days
/// are stored; a range that begins before is refused.
#[utoipa::path(
    get,
    path = "/v1/analytics/funnel",
    tag = "analytics",
    params(RangeParameters, RegionParameters, FunnelParameters),
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
    let given = Given::read(request.query_string(), &PARAMETERS)?;
    let now = services.clock.now();
    let range = dates(&given, now)?;
    let order = given.one_of("order")?;
    let breakdown = given.one_of("breakdown")?;
    let question = Question::new(
        range,
        region(&given)?,
        steps(&given)?,
        order.unwrap_or_default(),
        window(&given)?,
        breakdown,
    );
    question.check_kept(now)?;
    let metrics = async |_| funnel::ask(&services.store, &question).await;
    answer(&services, range, question.unsettled_facts(), metrics).await
}
