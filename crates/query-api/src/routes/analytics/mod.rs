//! `/v1/analytics`: one file per analysis. Each reads its parameters, then the lanes, then the numbers.

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
use crate::parameters::{RangeParameters, RegionParameters, names};

/// Range, region, and what else an analysis takes.
fn parameters<P: utoipa::IntoParams>() -> Vec<String> {
    let (range, region) = (names::<RangeParameters>(), names::<RegionParameters>());
    [range, region, names::<P>()].concat()
}
