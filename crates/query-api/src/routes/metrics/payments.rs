use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::payments::{self, Payments};
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

const KEEPING: Keeping = keeping(&[Domain::Payment], Reach::Range);

/// What happened to payments
///
/// In total, by method and over time. Money is in NGN; other currencies stand by themselves. A refund counts under
/// the method of its payment, and under `unknown` until that is known: `unsettled` says how many still wait for it.
#[utoipa::path(
    get,
    path = "/v1/metrics/payments",
    tag = "metrics",
    operation_id = "get_payment_metrics",
    extensions(("x-role" = json!("viewer"))),
    params(RangeParameters, RegionParameters, SeriesParameters, CellsParameters),
    responses((status = 200, description = "The metrics", body = Answer<Payments>, example = json!({
        "date_range": {
            "start_date": "2024-01-01T00:00:00.000+01:00",
            "end_date": "2024-01-31T23:59:59.999+01:00",
            "tz": "Africa/Lagos"
        },
        "complete_through": "2024-02-01T08:30:00.125Z",
        "unsettled": 2,
        "payments_initiated": 1000,
        "payments_success": 900,
        "payments_failed": 80,
        "payments_refunded": 30,
        "success_rate": 91.84,
        "avg_processing_time_ms": 1320.4,
        "p50_processing_time_ms": 1180.0,
        "p95_processing_time_ms": 2950.25,
        "total_revenue": "2925450.00",
        "total_refunded": "81000.00",
        "other_currencies": {"USD": {"total_revenue": "120.00", "total_refunded": "0.00"}},
        "by_method": [{
            "method": "card",
            "payments_initiated": 1000,
            "payments_success": 900,
            "payments_failed": 80,
            "payments_refunded": 30,
            "success_rate": 91.84,
            "avg_processing_time_ms": 1320.4,
            "p50_processing_time_ms": 1180.0,
            "p95_processing_time_ms": 2950.25,
            "total_revenue": "2925450.00",
            "total_refunded": "81000.00",
            "other_currencies": {"USD": {"total_revenue": "120.00", "total_refunded": "0.00"}}
        }]
    })))
)]
pub(crate) async fn payments(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::read(&services, &request, &WITH_SERIES)?
        .with_series()?
        .that_is_kept()?
        .with_cells(&services)
        .await?;
    let unsettled = Some(payments::unsettled_facts(&asked.selection));
    let metrics = async |_| payments::ask(&asked.store(&services), &asked.selection).await;
    asked.answer(&services, KEEPING, unsettled, metrics).await
}
