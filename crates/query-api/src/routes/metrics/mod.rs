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

use shared_schema::Domain;

pub(crate) use self::{
    bookings::{__path_bookings, bookings},
    drivers::{__path_drivers, drivers},
    payments::{__path_payments, payments},
    realtime::{__path_realtime, realtime},
    routes::{__path_routes, routes},
    trips::{__path_trips, trips},
    users::{__path_users, users},
};
use crate::cache::{Keeping, Reach};
use crate::parameters::{Parameter, SeriesParameters, opened};

/// How a metric of events of these domains is kept.
const fn keeping(domains: &'static [Domain], reach: Reach) -> Keeping {
    Keeping {
        fresh_for: |config| config.metrics.get(),
        domains,
        reach,
    }
}

/// The parameters of a metric with a time series.
static WITH_SERIES: LazyLock<Vec<Parameter>> = LazyLock::new(opened::<SeriesParameters>);
