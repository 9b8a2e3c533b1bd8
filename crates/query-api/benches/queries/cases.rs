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
    pub(crate) is_metric: bool,
    /// Whether ClickHouse is asked at all.
    pub(crate) asks_clickhouse: bool,
}

impl Case {
    pub(crate) fn name(&self) -> String {
        format!("{} ({})", self.metric, self.variant)
    }
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

/// Answers whose counts can be opened. Positions, which make users active, are kept for a shorter time.
const OPENED: [(&str, u64); 9] = [
    ("metrics/bookings", 89),
    ("metrics/payments", 89),
    ("metrics/trips", 89),
    ("metrics/users", 29),
    ("analytics/funnel", 89),
    ("analytics/cohort", 75),
    ("analytics/retention", 75),
    ("analytics/geographic", 89),
    ("metrics/realtime", 0),
];

/// The count of a metric whose events are listed.
pub(crate) const LISTED: &str = "bookings_created";

/// The metric that shows it, over the 90 local days that end with this instant's.
pub(crate) fn listed(end: DateTime<Utc>) -> String {
    format!("metrics/bookings{}&include_cells=true", range(end, 89))
}

/// A page of the events behind a count.
pub(crate) fn page(cell: &str) -> Case {
    let path = format!("events?limit=100&cell={cell}");
    beside("events", "first page", path, true)
}

/// The other endpoints. Those of keys read PostgreSQL alone, and are for people.
pub(crate) fn others() -> [Case; 4] {
    let asked =
        |name, path: &str, asks_clickhouse| beside(name, "", path.to_owned(), asks_clickhouse);
    [
        asked("ledger", "pipeline/ledger", true),
        asked("dead l.", "pipeline/dead-letters", true),
        asked("definitions", "definitions", false),
        asked("definition", "definitions/funnel", false),
    ]
}

/// Every metric and analysis over the 90 local days that end with this instant's, and those with cells.
pub(crate) fn all(end: DateTime<Utc>) -> Vec<Case> {
    let range = range(end, 89);
    let mut cases = Vec::new();
    for metric in SERIES.into_iter().chain(LISTS) {
        cases.extend(regions(metric, &range));
        cases.extend(ZONES.map(|(name, parameters)| case(metric, name, &range, parameters)));
        if SERIES.contains(&metric) {
            cases.extend(UNITS.map(|(name, parameters)| case(metric, name, &range, parameters)));
        }
    }
    cases.extend(regions("realtime", "?"));
    cases.extend(ANALYSES.map(|(name, variant, parameters)| {
        let path = format!("analytics/{name}{range}{parameters}");
        beside(name, variant, path, true)
    }));
    cases.extend(OPENED.map(|(path, days)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let range = match name {
            "realtime" => "?".to_owned(),
            _ => self::range(end, days) + "&",
        };
        let path = format!("{path}{range}include_cells=true");
        beside(name, "with cells", path, true)
    }));
    cases
}

/// The local days that end with this instant's, and so many before it.
fn range(end: DateTime<Utc>, before: u64) -> String {
    let last = end.with_timezone(&chrono_tz::Africa::Lagos).date_naive();
    format!("?start_date={}&end_date={last}", last - Days::new(before))
}

fn beside(
    metric: &'static str,
    variant: &'static str,
    path: String,
    asks_clickhouse: bool,
) -> Case {
    Case {
        metric,
        variant,
        path,
        is_metric: false,
        asks_clickhouse,
    }
}

fn regions(metric: &'static str, range: &str) -> [Case; 4] {
    REGIONS.map(|(name, parameters)| case(metric, name, range, parameters))
}

fn case(metric: &'static str, variant: &'static str, range: &str, parameters: &str) -> Case {
    Case {
        metric,
        variant,
        path: format!("metrics/{metric}{range}{parameters}").replace("?&", "?"),
        is_metric: true,
        asks_clickhouse: true,
    }
}
