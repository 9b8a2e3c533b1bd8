use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::{
    Selection,
    time::{BeyondRetention, Kept},
    users,
};
use event_store::StoreError;
use tokio::try_join;

use super::{Asked, WITH_SERIES};
use crate::{
    answer::Answer,
    ask::Asker,
    error::ApiError,
    parameters::{RangeParameters, RegionParameters, SeriesParameters},
    services::Services,
};

/// Who was active, who registered, and how far those got
///
/// `dau`, `wau` and `mau` are of the last 1, 7 and 30 local days that end with the range, whatever its start.
#[utoipa::path(
    get,
    path = "/v1/metrics/users",
    tag = "metrics",
    params(RangeParameters, RegionParameters, SeriesParameters),
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
    let asked = Asked::read_kept(&services, &request, &WITH_SERIES, kept)?;
    let selection = &asked.selection;
    let metrics = async {
        let answers = answers(&services.store, selection).await?;
        Ok(users::assemble(selection, answers))
    };
    let unsettled = users::unsettled_facts(selection);
    asked.answer(&services, unsettled, metrics).await
}

/// Registrations need user events only; whoever counts active users needs locations, at the end of the range, and
/// for a series also at its start.
fn kept(selection: &Selection) -> Result<(), BeyondRetention> {
    let (range, now) = (&selection.range, selection.now);
    Kept::Events.check(range, now)?;
    Kept::Locations.check_end(range, now)?;
    match selection.series {
        Some(_) => Kept::Locations.check(range, now),
        None => Ok(()),
    }
}

async fn answers(store: &Asker, selection: &Selection) -> Result<users::Answers, StoreError> {
    let (windows, everyone) = (users::windows(selection), users::everyone(selection));
    let registrations = users::new_registrations(selection);
    let (windows, everyone, registrations, active) = try_join!(
        store.row("users: windows", &windows),
        store.rows("users: everyone", &everyone),
        store.rows("users: registrations", &registrations),
        store.rows_if("users: active by unit", users::active_by_unit(selection)),
    )?;
    Ok(users::Answers {
        windows,
        everyone,
        registrations,
        active,
    })
}
