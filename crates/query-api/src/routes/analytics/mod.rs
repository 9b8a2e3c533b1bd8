//! `/v1/analytics`: one file per analysis. Each reads its parameters, then the lanes, then the numbers.

use shared_schema::Domain;

mod cohort;
mod funnel;
mod geographic;
mod retention;
mod trends;

pub(crate) use self::{
    cohort::{__path_cohort, cohort},
    funnel::{__path_funnel, funnel},
    geographic::{__path_geographic, geographic},
    retention::{__path_retention, retention},
    trends::{__path_trends, trends},
};
use crate::cache::{Keeping, Reach};

/// How an analysis is kept.
const fn keeping(domains: &'static [Domain], reach: Reach) -> Keeping {
    Keeping {
        fresh_for: |config| config.analyses.get(),
        domains,
        reach,
    }
}

/// What people do: everything but what is offered to them.
const DEEDS: [Domain; 4] = [Domain::User, Domain::Booking, Domain::Payment, Domain::Trip];
