use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::routes::{self, Routes};
use shared_schema::Domain;

use super::keeping;
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{
        CellsParameters, Parameter, RangeParameters, RegionParameters, RoutesLimit, number, opened,
    },
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&[Domain::Booking, Domain::Route], Reach::UpToItsEnd);

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<RoutesLimit>);

/// The routes with the most confirmed bookings
///
/// Ordered by bookings confirmed in the range, ties by id.
#[utoipa::path(
    get,
    path = "/v1/metrics/routes",
    tag = "metrics",
    operation_id = "list_top_routes",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, RoutesLimit, CellsParameters),
    responses((status = 200, description = "The list", body = Answer<Routes>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "routes": [{
            "route_id": "018d3f5e-6f0a-7000-8000-000000000002",
            "route_name": "Ikeja to Victoria Island",
            "origin_city": "Ikeja",
            "destination_city": "Victoria Island",
            "driver_id": "018d3f5e-6f0a-7000-8000-000000000001",
            "total_bookings": 96,
            "total_revenue": "288000.00",
            "avg_occupancy": 68.75,
            "seats_total": 4
        }]
    })))
)]
pub(crate) async fn routes(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &PARAMETERS)?
        .that_is_kept()?
        .with_cells(&services)
        .await?;
    let limit = number(&asked.given, &PARAMETERS, "limit")?;
    let unsettled = routes::unsettled_facts(&asked.selection);
    let metrics = async |_| routes::ask(&asked.store(&services), &asked.selection, limit).await;
    asked.answer(&services, KEEPING, unsettled, metrics).await
}
