use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::{
    RegionFilter,
    realtime::{self, PipelineHealth, Realtime, Second},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared_schema::access::Scope;
use tokio::try_join;
use utoipa::ToSchema;

use crate::{
    access::Caller,
    cache::{Made, Question, Sought},
    cells,
    error::ApiError,
    parameters::{CellsParameters, Given, Parameter, RegionParameters, documented, region},
    routes::asked::unsettled_facts,
    services::Services,
};

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    [
        documented::<RegionParameters>(),
        documented::<CellsParameters>(),
    ]
    .concat()
});

/// The tiles of this second, and how well the pipeline follows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RealtimeAnswer {
    #[serde(flatten)]
    tiles: Realtime,
    #[serde(flatten)]
    health: PipelineHealth,
    /// Everything that arrived at the broker before this is in the numbers; `null` as long as that is not known of
    /// every partition.
    #[schema(required)]
    complete_through: Option<DateTime<Utc>>,
    /// With a region only: facts of the last day whose region is not known yet. They count as `unknown` until it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unsettled: Option<u64>,
}

/// The tiles of this second
///
/// Events of producers whose clocks are ahead are not in them.
#[utoipa::path(
    get,
    path = "/v1/metrics/realtime",
    tag = "metrics",
    operation_id = "get_realtime_tiles",
    extensions(("x-role" = json!("viewer"))),
    params(RegionParameters, CellsParameters),
    responses((status = 200, description = "The tiles", body = RealtimeAnswer, example = json!({
        "timestamp": "2024-02-01T08:30:02Z",
        "active_users": 58,
        "active_drivers": 23,
        "active_trips": 17,
        "bookings_last_hour": 42,
        "revenue_last_hour": "117000.00",
        "other_currencies": {},
        "avg_wait_time_minutes": 3.25,
        "system_health": "healthy",
        "system_health_reasons": [],
        "ingest_lag_seconds": 1,
        "complete_through": "2024-02-01T08:30:00.125Z"
    })))
)]
pub(crate) async fn realtime(
    services: Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let caller = Caller::of(&request)?;
    let given = Given::read(request.query_string(), &PARAMETERS)?;
    let region = region(&given, &caller.scope)?;
    if given.flag("include_cells")? {
        let make = async || made(&services, &caller, region.clone(), true).await;
        return services.cache.answer_unkept(&request, make).await;
    }
    let sought = Sought {
        path: request.path(),
        scope: &caller.scope,
        region: &region,
        parameters: &PARAMETERS,
        given: &given,
    };
    let question = Question::of_this_second(sought, services.cache.config());
    let make = async || made(&services, &caller, region.clone(), false).await;
    services.cache.answer(&request, &question, make).await
}

async fn made(
    services: &Services,
    caller: &Caller,
    region: RegionFilter,
    with_cells: bool,
) -> Result<Made, ApiError> {
    let now = services.clock.now();
    let signs = services.lanes.signs().await?;
    let sees_all = caller.scope == Scope::Everywhere;
    let mut second = Second::at(now, region);
    if with_cells {
        let pinned = cells::pinned(services, caller, now).await?;
        second = second.opened(pinned.opening, !sees_all);
    }
    let store = services.store_of(caller);
    let tiles = realtime::ask(&store, &second);
    // who sees some regions only learns nothing of what may belong to others
    let unsettled = second.unsettled_facts();
    let unsettled = unsettled.filter(|_| sees_all);
    let unsettled = unsettled_facts(services, caller, unsettled);
    let (tiles, unsettled) = try_join!(tiles, unsettled)?;
    let answer = RealtimeAnswer {
        tiles,
        health: PipelineHealth::judge(&signs, now),
        complete_through: signs.complete_through,
        unsettled,
    };
    Made::of(&answer, true)
}
