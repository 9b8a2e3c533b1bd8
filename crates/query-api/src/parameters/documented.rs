//! The parameters as the description of the API shows them. What stands here is allowed, and nothing else.

use analytics::{
    cohort::CohortType,
    funnel::{Breakdown, Order},
    geographic::Measure,
    retention::{Mode, UserType},
    time::Granularity,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::texts::{Moment, ReasonCodes, StepList, TrendMetrics};

/// The range of time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct RangeParameters {
    /// The first instant, as ISO 8601: `2024-01-31`, `2024-01-31T10:30:00`, or with an offset (write `+` as `%2B`).
    /// Without an offset it is on the clock of `tz`; a time that comes twice is the earlier, one that never comes is
    /// the first instant after. Without it, the range has the 30 local days up to its end. Bounds off the quarters of
    /// an hour are answered exactly for the last 90 days, for users 30.
    #[param(value_type = Option<Moment>, inline, example = "2024-01-01")]
    start_date: Option<String>,
    /// The last instant, inclusive to its own precision: a bare date is that whole day, `23:59:59` that whole second.
    /// A time that comes twice is the later. Without it, the range goes to the end of today.
    #[param(value_type = Option<Moment>, inline, example = "2024-01-31")]
    end_date: Option<String>,
    /// The IANA zone whose clock days are counted on.
    #[param(
        example = "Africa/Lagos",
        default = "Africa/Lagos",
        format = "iana-time-zone"
    )]
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
    #[param(default = "daily")]
    granularity: Option<Granularity>,
}

/// The counts that can be opened.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is read strictly")]
pub(crate) struct CellsParameters {
    /// Whether to add `cells`: for each count a token that `/v1/events` opens. The answer is then made of stored events
    /// alone (who registered before them is known from profiles), so that its range, or first cohort, may begin 90 days ago
    /// at the earliest, and kept nowhere; its time series has at most 1,000 points, and cohorts as many numbers. For
    /// analysts. Counts of active users have a token where they begin in the last 30 days, as long as positions are kept,
    /// and users by region are not asked for earlier; users who registered since ever never have one. What has no token, and
    /// what is not counted over events, as the names of routes, is that of now.
    #[param(default = false)]
    include_cells: Option<bool>,
}

/// The events behind a count.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct EventsParameters {
    /// A token out of the `cells` of an answer with `include_cells=true`, for a caller that sees the same regions.
    #[param(example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9…", format = "cell")]
    cell: String,
    /// The `next_cursor` of the page before. Send the same `cell` with it.
    #[param(
        example = "1706697000125.1.1233.openride.events.booking~018d3f5e-6f0a-7000-8000-000000000003",
        format = "event-cursor"
    )]
    cursor: Option<String>,
    /// Events at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
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
    #[param(value_type = Option<ReasonCodes>, inline, example = "missing_field")]
    reason: Option<String>,
    /// Only records of this topic, one that is read or has dead letters.
    #[param(example = "openride.events.booking")]
    topic: Option<String>,
    /// The `next_cursor` of the page before. Send the other parameters with it unchanged.
    #[param(
        example = "1706697000412.0.1234.openride.events.booking",
        format = "cursor"
    )]
    cursor: Option<String>,
    /// Whether to show the bytes of keys and values too, in Base64. For callers that may see personal data.
    #[param(default = false)]
    include_bytes: Option<bool>,
    /// Dead letters at most; with their bytes 10, which is the default then.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
}

/// The funnel.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct FunnelParameters {
    /// The steps, 1 to 10 types of user, booking, payment and trip events, separated by commas.
    #[param(value_type = Option<StepList>, inline, example = "booking.created,payment.success,trip.completed")]
    steps: Option<String>,
    /// How events are matched with the steps.
    #[param(default = "ordered")]
    order: Option<Order>,
    /// How long after its first step the last may come, its end inclusive: `30d`, `12h`, `90m`, at most 90 days.
    #[param(example = "7d", default = "30d", format = "time-span")]
    window: Option<String>,
    /// What people are told apart by.
    #[param(example = "state")]
    breakdown: Option<Breakdown>,
}

/// The cohorts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct CohortParameters {
    /// The unit of cohorts and periods, on the local clock. Cohorts are whole units, every one that the range touches.
    #[param(default = "weekly")]
    cohort_type: Option<CohortType>,
    /// Periods of each cohort; cohorts times periods are at most 10,000.
    #[param(minimum = 1, maximum = 52, default = 12)]
    periods: Option<u64>,
}

/// The retention.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct RetentionParameters {
    /// Which users, by their role at registration.
    #[param(default = "all")]
    user_type: Option<UserType>,
    /// What makes a user retained on day N.
    #[param(default = "on")]
    mode: Option<Mode>,
}

/// What is spread over the regions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is read strictly")]
pub(crate) struct GeographicParameters {
    /// What is spread over the regions.
    #[param(default = "bookings")]
    metric: Option<Measure>,
}

/// The metric over time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, strictly")]
pub(crate) struct TrendsParameters {
    /// Any metric of `/v1/metrics` that has one value for a range, by its name in those answers; or `active_users`, the
    /// distinct users of each unit.
    #[param(value_type = TrendMetrics, inline, example = "bookings_created")]
    metric: String,
    /// The width of the points, on the local clock; at most 10,000 points.
    #[param(default = "daily")]
    granularity: Option<Granularity>,
    /// Whether to compare with the period before.
    #[param(example = "previous_period")]
    compare: Option<Compare>,
}

/// What a trend is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compare {
    /// As many units before.
    PreviousPeriod,
}
