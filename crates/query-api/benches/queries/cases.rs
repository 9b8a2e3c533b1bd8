//! What is asked.

use chrono::{DateTime, Days, Utc};

/// A request that is made many times.
pub(crate) struct Case {
    /// The path below the folder.
    pub(crate) metric: &'static str,
    /// What is special about it.
    pub(crate) variant: &'static str,
    /// Path and parameters.
    pub(crate) path: String,
    /// Whether it is a metric, of which an answer in time is promised.
    pub(crate) is_promised: bool,
}

const SERIES: [&str; 4] = ["users", "bookings", "payments", "trips"];
const LISTS: [&str; 2] = ["drivers", "routes"];

const REGIONS: [(&str, &str); 4] = [
    ("everywhere", ""),
    ("a state", "&state=Lagos"),
    ("a city", "&state=Lagos&city=Ikeja"),
    ("unknown", "&state=unknown"),
];

/// Over the whole range, beside the regions.
const ZONES: [(&str, &str); 1] = [("tz Berlin", "&tz=Europe/Berlin")];

const UNITS: [(&str, &str); 4] = [
    ("daily", "&include_time_series=true"),
    (
        "daily, Berlin",
        "&include_time_series=true&tz=Europe/Berlin",
    ),
    ("hourly", "&include_time_series=true&granularity=hourly"),
    ("daily, a state", "&include_time_series=true&state=Lagos"),
];

const ANALYSES: [(&str, &str, &str); 13] = [
    ("funnel", "everywhere", ""),
    ("funnel", "a state", "&state=Lagos"),
    ("funnel", "strict", "&order=strict"),
    ("funnel", "unordered", "&order=unordered"),
    (
        "funnel",
        "from bookings",
        "&steps=booking.created,payment.success,trip.completed",
    ),
    ("funnel", "by state", "&breakdown=state"),
    ("cohort", "weekly", ""),
    ("cohort", "daily", "&cohort_type=daily&periods=52"),
    ("retention", "everywhere", ""),
    ("geographic", "bookings", ""),
    ("geographic", "users", "&metric=users"),
    ("trends", "mau, daily", "&metric=mau"),
    ("trends", "dau, hourly", "&metric=dau&granularity=hourly"),
];

/// Every metric and analysis over the 90 local days that end with this instant's.
pub(crate) fn all(end: DateTime<Utc>) -> Vec<Case> {
    let last = end.with_timezone(&chrono_tz::Africa::Lagos).date_naive();
    let range = format!("?start_date={}&end_date={last}", last - Days::new(89));
    let mut cases = Vec::new();
    for metric in SERIES.into_iter().chain(LISTS) {
        cases.extend(regions(metric, &range));
        cases.extend(ZONES.map(|(name, parameters)| case(metric, name, &range, parameters)));
        if SERIES.contains(&metric) {
            cases.extend(UNITS.map(|(name, parameters)| case(metric, name, &range, parameters)));
        }
    }
    cases.extend(regions("realtime", "?"));
    cases.extend(ANALYSES.map(|(name, variant, parameters)| Case {
        metric: name,
        variant,
        path: format!("analytics/{name}{range}{parameters}"),
        is_promised: false,
    }));
    cases
}

fn regions(metric: &'static str, range: &str) -> [Case; 4] {
    REGIONS.map(|(name, parameters)| case(metric, name, range, parameters))
}

fn case(metric: &'static str, variant: &'static str, range: &str, parameters: &str) -> Case {
    Case {
        metric,
        variant,
        path: format!("metrics/{metric}{range}{parameters}").replace("?&", "?"),
        is_promised: true,
    }
}
