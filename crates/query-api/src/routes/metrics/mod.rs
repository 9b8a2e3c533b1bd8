//! `/v1/metrics`: one file per metric. Each reads its parameters, then the lanes, then the numbers, in this order:
//! what the lanes call complete is in the numbers.

mod bookings;
mod drivers;
mod payments;
mod realtime;
mod routes;
mod trips;
mod users;

use std::sync::LazyLock;

pub(crate) use self::{
    bookings::{__path_bookings, bookings},
    drivers::{__path_drivers, drivers},
    payments::{__path_payments, payments},
    realtime::{__path_realtime, realtime},
    routes::{__path_routes, routes},
    trips::{__path_trips, trips},
    users::{__path_users, users},
};
use crate::parameters::{RangeParameters, RegionParameters, SeriesParameters, names};

/// The parameters of a metric with a time series.
static WITH_SERIES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let (range, region) = (names::<RangeParameters>(), names::<RegionParameters>());
    [range, region, names::<SeriesParameters>()].concat()
});

/// The parameters of a list whose length has the documented limits of `L`.
fn with_limit<L: utoipa::IntoParams>() -> Vec<String> {
    [
        names::<RangeParameters>(),
        names::<RegionParameters>(),
        names::<L>(),
    ]
    .concat()
}
