use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::drivers;
use shared_schema::Domain;

use super::keeping;
use crate::{
    answer::Answer,
    cache::{Keeping, Reach},
    error::ApiError,
    parameters::{
        CellsParameters, DriversLimit, Parameter, RangeParameters, RegionParameters, number, opened,
    },
    routes::asked::Asked,
    services::Services,
};

const KEEPING: Keeping = keeping(&[Domain::Trip], Reach::Range);

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<DriversLimit>);

/// The drivers that earned most
///
/// From the trips completed in the range; ordered by earnings, ties by id.
#[utoipa::path(
    get,
    path = "/v1/metrics/drivers",
    tag = "metrics",
    operation_id = "list_top_drivers",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, DriversLimit, CellsParameters),
    responses((status = 200, description = "The list", body = Answer<drivers::Drivers>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "drivers": [{
            "driver_id": "018d3f5e-6f0a-7000-8000-000000000001",
            "total_trips": 84,
            "total_earnings": "218400.00",
            "avg_earnings_per_trip": "2600.00",
            "total_distance_km": 1543.08,
            "active_days": 24,
            "on_time_rate": 91.67
        }],
        "earnings_distribution": {
            "p10": "2600.00", "p25": "7800.00", "p50": "15600.50", "p75": "31200.00", "p90": "78000.00"
        }
    })))
)]
pub(crate) async fn drivers(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &PARAMETERS)?
        .that_is_kept()?
        .with_cells(&services)
        .await?;
    let limit = number(&asked.given, &PARAMETERS, "limit")?;
    let unsettled = drivers::unsettled_facts(&asked.selection);
    let metrics = async |_| drivers::ask(&asked.store(&services), &asked.selection, limit).await;
    asked.answer(&services, KEEPING, unsettled, metrics).await
}
