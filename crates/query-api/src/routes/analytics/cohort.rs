use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::cohort::{self, CohortAnalysis, Question};

use super::{DEEDS, keeping};
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{
        CellsParameters, CohortParameters, Parameter, RangeParameters, RegionParameters,
        few_enough, number, opened, too_many_cells,
    },
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&DEEDS, Reach::Onwards);

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<CohortParameters>);

/// Of the users who registered in a unit of time, how many were active in the units after it
///
/// A period that is not over is `null`. The rule that was applied stands in the answer.
#[utoipa::path(
    get,
    path = "/v1/analytics/cohort",
    tag = "analytics",
    operation_id = "get_cohorts",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, CohortParameters, CellsParameters),
    responses((status = 200, description = "The cohorts", body = Answer<CohortAnalysis>, example = json!({
        "date_range": {
            "start_date": "2024-01-29T00:00:00.000+01:00",
            "end_date": "2024-02-04T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-14T08:30:00.125Z",
        "cohort_type": "weekly",
        "cohorts": [{
            "cohort_period": "2024-W05",
            "start": "2024-01-29T00:00:00+01:00",
            "cohort_size": 160,
            "retention_by_period": {"period_0": 61.25, "period_1": 43.75, "period_2": null},
            "retained_by_period": {"period_0": 98, "period_1": 70, "period_2": null},
            "null_reasons": {"period_2": "period_not_over"}
        }],
        "average_retention_by_period": {"period_0": 61.25, "period_1": 43.75, "period_2": null},
        "rule": {
            "name": "registration-cohorts/1",
            "description": "A cohort is everyone whose first registration ...",
            "definition": "/v1/definitions/cohort"
        }
    })))
)]
pub(crate) async fn cohort(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &PARAMETERS)?
        .with_cells(&services)
        .await?;
    let given = &asked.given;
    let cohort_type = given.one_of("cohort_type")?;
    let periods = number(given, &PARAMETERS, "periods")?;
    let periods = usize::try_from(periods).unwrap_or(usize::MAX);
    let question = Question::new(
        cohort_type.unwrap_or_default(),
        periods,
        asked.selection.clone(),
    )
    .map_err(|_| too_many_cells("periods"))?;
    if asked.selection.opening.is_some() {
        few_enough(question.numbers())?;
        question.check_kept()?;
    }
    let metrics = async |complete_through| {
        cohort::ask(&asked.store(&services), &question, complete_through).await
    };
    let (range, unsettled) = (question.range(), question.unsettled_facts());
    asked
        .answer_over(&services, range, KEEPING, unsettled, metrics)
        .await
}
