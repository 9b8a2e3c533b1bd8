use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::users;
use shared_schema::Domain;

use super::{WITH_SERIES, keeping};
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{CellsParameters, RangeParameters, RegionParameters, SeriesParameters},
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&Domain::ALL, Reach::UpToItsEnd);

/// Who was active, who registered, and how far those got
///
/// `dau`, `wau` and `mau` are of the last 1, 7 and 30 local days that end with the range, whatever its start.
#[utoipa::path(
    get,
    path = "/v1/metrics/users",
    tag = "metrics",
    operation_id = "get_user_metrics",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, SeriesParameters, CellsParameters),
    responses((status = 200, description = "The metrics", body = Answer<users::Users>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "dau": 310,
        "wau": 960,
        "mau": 2150,
        "new_registrations": 400,
        "total_users": 5200,
        "kyc_completion_rate": 62.5,
        "driver_activation_rate": 8.75
    })))
)]
pub(crate) async fn users(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &WITH_SERIES)?.with_series()?;
    users::check_kept(&asked.selection)?;
    let asked = asked.with_cells(&services).await?;
    let unsettled = users::unsettled_facts(&asked.selection);
    let metrics = async |_| users::ask(&asked.store(&services), &asked.selection).await;
    asked.answer(&services, KEEPING, unsettled, metrics).await
}
