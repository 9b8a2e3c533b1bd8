use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::trips;
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

const KEEPING: Keeping = keeping(&[Domain::Trip], Reach::Range);

/// What happened to trips
///
/// Each event counts at its own time, so that rates of different events may exceed 100.
#[utoipa::path(
    get,
    path = "/v1/metrics/trips",
    tag = "metrics",
    operation_id = "get_trip_metrics",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, SeriesParameters, CellsParameters),
    responses((status = 200, description = "The metrics", body = Answer<trips::Trips>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "trips_started": 850,
        "trips_completed": 800,
        "trips_cancelled": 40,
        "completion_rate": 94.12,
        "avg_duration_minutes": 42.5,
        "avg_distance_km": 18.37,
        "on_time_performance": 88.25,
        "total_driver_earnings": "2080000.00",
        "total_platform_commission": "520000.00",
        "active_drivers": 120
    })))
)]
pub(crate) async fn trips(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &WITH_SERIES)?
        .with_series()?
        .that_is_kept()?
        .with_cells(&services)
        .await?;
    let unsettled = trips::unsettled_facts(&asked.selection);
    let metrics = async |_| trips::ask(&asked.store(&services), &asked.selection).await;
    asked.answer(&services, KEEPING, unsettled, metrics).await
}
