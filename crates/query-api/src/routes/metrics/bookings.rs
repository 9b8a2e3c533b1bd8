use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::bookings;
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

const KEEPING: Keeping = keeping(&[Domain::Booking], Reach::Range);

/// What happened to bookings
///
/// Each event counts at its own time, so that rates of different events may exceed 100.
#[utoipa::path(
    get,
    path = "/v1/metrics/bookings",
    tag = "metrics",
    operation_id = "get_booking_metrics",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, SeriesParameters, CellsParameters),
    responses((status = 200, description = "The metrics", body = Answer<bookings::Bookings>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "bookings_created": 1200,
        "bookings_confirmed": 900,
        "bookings_cancelled": 150,
        "bookings_completed": 800,
        "conversion_rate": 75.0,
        "cancellation_rate": 12.5,
        "avg_booking_value": "3250.50",
        "total_booking_value": "2925450.00"
    })))
)]
pub(crate) async fn bookings(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &WITH_SERIES)?
        .with_series()?
        .that_is_kept()?
        .with_cells(&services)
        .await?;
    let unsettled = bookings::unsettled_facts(&asked.selection);
    let metrics = async |_| bookings::ask(&asked.store(&services), &asked.selection).await;
    asked.answer(&services, KEEPING, unsettled, metrics).await
}
