//! The parameters as the description of the API shows them. What stands here is allowed, and nothing else.

use analytics::time::Granularity;
use utoipa::IntoParams;

/// The range of time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct RangeParameters {
    /// The first instant, as ISO 8601: `2024-01-31`, `2024-01-31T10:30:00`, or with an offset (write `+` as `%2B`).
    /// Without an offset it is on the clock of `tz`; a time that comes twice is the earlier, one that never comes is
    /// the first instant after. Without it, the range has the 30 local days up to its end. Bounds off the quarters of
    /// an hour are answered exactly for the last 90 days, for users 30.
    #[param(example = "2024-01-01")]
    start_date: Option<String>,
    /// The last instant, inclusive to its own precision: a bare date is that whole day, `23:59:59` that whole second.
    /// A time that comes twice is the later. Without it, the range goes to the end of today.
    #[param(example = "2024-01-31")]
    end_date: Option<String>,
    /// The IANA zone whose clock days are counted on.
    #[param(example = "Africa/Lagos", default = "Africa/Lagos")]
    tz: Option<String>,
}

/// The region.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct RegionParameters {
    /// Only this state, by its usual names, or `unknown`.
    #[param(example = "Lagos")]
    state: Option<String>,
    /// Only this city, by its usual names, or `unknown`. Without a state, all cities of the name.
    #[param(example = "Ikeja")]
    city: Option<String>,
}

/// The time series.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct SeriesParameters {
    /// Whether to add a time series, at most 10,000 points.
    #[param(default = false)]
    include_time_series: Option<bool>,
    /// The width of its points, on the local clock. Needs `include_time_series`.
    #[param(inline, default = "daily")]
    granularity: Option<Granularity>,
}

/// The length of the list of drivers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is read strictly")]
pub(crate) struct DriversLimit {
    /// Drivers at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
}

/// The length of the list of routes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is read strictly")]
pub(crate) struct RoutesLimit {
    /// Routes at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u64>,
}

/// Which dead letters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct DeadLetterParameters {
    /// Only this reason code.
    #[param(example = "missing_field")]
    reason: Option<String>,
    /// Only records of this topic, one that is read or has dead letters.
    #[param(example = "openride.events.booking")]
    topic: Option<String>,
    /// The `next_cursor` of the page before. Send the other parameters with it unchanged.
    cursor: Option<String>,
    /// Dead letters at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
}
