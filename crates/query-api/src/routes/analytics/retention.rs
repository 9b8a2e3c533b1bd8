use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::retention::{self, Question, Retention};

use super::{DEEDS, keeping};
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{
        CellsParameters, Parameter, RangeParameters, RegionParameters, RetentionParameters, opened,
        too_long_ago,
    },
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&DEEDS, Reach::Onwards);

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<RetentionParameters>);

/// Of the users who registered in the range, how many were active 1, 7 and 30 days later
///
/// A rate of which nobody is eligible yet is `null`. The rule that was applied stands in the answer.
#[utoipa::path(
    get,
    path = "/v1/analytics/retention",
    tag = "analytics",
    operation_id = "get_retention",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, RetentionParameters, CellsParameters),
    responses((status = 200, description = "The retention", body = Answer<Retention>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "user_type": "all",
        "mode": "on",
        "total_users": 400,
        "d1_retention_rate": 30.77,
        "d1_retained_users": 120,
        "d1_eligible_users": 390,
        "d7_retention_rate": 20.0,
        "d7_retained_users": 62,
        "d7_eligible_users": 310,
        "d30_retention_rate": null,
        "d30_retained_users": 0,
        "d30_eligible_users": 0,
        "null_reasons": {"d30_retention_rate": "nobody_eligible"},
        "rule": {
            "name": "day-n-retention/1",
            "description": "Day 0 is the local day of the first registration ...",
            "definition": "/v1/definitions/retention"
        }
    })))
)]
pub(crate) async fn retention(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &PARAMETERS)?
        .with_cells(&services)
        .await?;
    let given = &asked.given;
    let user_type = given.one_of("user_type")?;
    let mode = given.one_of("mode")?;
    let question = Question::new(
        asked.selection.clone(),
        user_type.unwrap_or_default(),
        mode.unwrap_or_default(),
    )
    .map_err(|_| too_long_ago())?;
    let metrics = async |complete_through| {
        retention::ask(&asked.store(&services), &question, complete_through).await
    };
    asked
        .answer(&services, KEEPING, question.unsettled_facts(), metrics)
        .await
}
