use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::trends::{self, Question, Trend};
use shared_schema::Domain;

use super::keeping;
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{
        CellsParameters, Compare, Parameter, RangeParameters, RegionParameters, TrendsParameters,
        few_enough, no_trend, opened, previous_gone, previous_not_opened, trend_metric,
    },
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&Domain::ALL, Reach::UpToItsEnd);

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<TrendsParameters>);

/// One metric over time, and beside it the period before
///
/// The rule that was applied stands in the answer.
#[utoipa::path(
    get,
    path = "/v1/analytics/trends",
    tag = "analytics",
    operation_id = "get_trend",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, TrendsParameters, CellsParameters),
    responses((status = 200, description = "The trend", body = Answer<Trend>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "metric": "bookings_created",
        "unit": "count",
        "granularity": "monthly",
        "value": 1200,
        "time_series": [{"start": "2024-01-01T00:00:00+01:00", "partial": false, "value": 1200}],
        "previous_period": {
            "date_range": {
                "start_date": "2023-12-01T00:00:00.000+01:00",
                "end_date": "2023-12-31T23:59:59.999+01:00",
                "tz": "Africa/Lagos"
            },
            "value": 1000,
            "time_series": [{"start": "2023-12-01T00:00:00+01:00", "partial": false, "value": 1000}],
            "change_percent": 20.0
        },
        "rule": {
            "name": "metric-by-unit/1",
            "description": "Each point is the metric over its calendar unit ...",
            "definition": "/v1/definitions/trends"
        }
    })))
)]
pub(crate) async fn trends(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &PARAMETERS)?
        .with_cells(&services)
        .await?;
    let (given, selection) = (&asked.given, &asked.selection);
    let granularity = given.one_of("granularity")?;
    let question = Question::new(
        trend_metric(given)?,
        granularity.unwrap_or_default(),
        selection,
        given.one_of::<Compare>("compare")?.is_some(),
    )
    .map_err(no_trend)?;
    question.check_kept()?;
    question.check_previous_kept().map_err(previous_gone)?;
    question
        .check_previous_opens()
        .map_err(previous_not_opened)?;
    if selection.opening.is_some() {
        few_enough(question.points())?;
    }
    let metrics = async |_| trends::ask(&asked.store(&services), &question).await;
    asked
        .answer(&services, KEEPING, question.unsettled_facts(), metrics)
        .await
}
