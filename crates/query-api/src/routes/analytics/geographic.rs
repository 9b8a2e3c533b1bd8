use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::geographic::{self, Geography};
use shared_schema::Domain;

use super::keeping;
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{
        CellsParameters, GeographicParameters, Parameter, RangeParameters, RegionParameters, opened,
    },
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&Domain::ALL, Reach::Range);

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<GeographicParameters>);

/// Where bookings, revenue or active users are
///
/// Every region that has any is a point, without a limit; the shares add up to 100 but for their rounding. The rule that
/// was applied stands in the answer.
#[utoipa::path(
    get,
    path = "/v1/analytics/geographic",
    tag = "analytics",
    operation_id = "get_geography",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, GeographicParameters, CellsParameters),
    responses((status = 200, description = "The points", body = Answer<Geography>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "unsettled": 2,
        "metric": "bookings",
        "data_points": [
            {"state": "Lagos", "city": "Ikeja", "value": 600, "share": 75.0},
            {"state": "unknown", "city": "unknown", "value": 200, "share": 25.0}
        ],
        "total_value": 800,
        "rule": {
            "name": "shares-by-region/1",
            "description": "Bookings are booking.created events ...",
            "definition": "/v1/definitions/geographic"
        }
    })))
)]
pub(crate) async fn geographic(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &PARAMETERS)?;
    let measure = asked.given.one_of("metric")?;
    let measure = measure.unwrap_or_default();
    geographic::check_kept(&asked.selection, measure)?;
    let asked = asked.with_cells(&services).await?;
    let selection = &asked.selection;
    geographic::check_opens(selection, measure)?;
    let unsettled = geographic::unsettled_facts(selection, measure);
    let metrics = async |_| geographic::ask(&asked.store(&services), selection, measure).await;
    asked
        .answer(&services, KEEPING, Some(unsettled), metrics)
        .await
}
