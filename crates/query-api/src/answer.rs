use analytics::time::DateRange;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A range of time with both bounds included, so that they can be sent back as they are.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes how a range is written")]
pub(crate) struct DateRangeShown {
    /// The first millisecond, on the local clock.
    #[schema(example = "2024-01-01T00:00:00.000+01:00")]
    start_date: String,
    /// The last millisecond, on the local clock.
    #[schema(example = "2024-01-31T23:59:59.999+01:00")]
    end_date: String,
    /// The zone whose clock it is.
    #[schema(example = "Africa/Lagos")]
    tz: String,
}

/// A metric or analysis over a range.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer<T> {
    /// What was asked for, made explicit.
    #[schema(value_type = DateRangeShown)]
    pub(crate) date_range: DateRange,
    /// Everything that arrived at the broker before this is in the numbers; `null` as long as that is not known of
    /// every partition. It does not promise that no late events will come.
    pub(crate) complete_through: Option<DateTime<Utc>>,
    /// With a region, and always of payments and of what is spread over regions: facts whose region is not known yet, of
    /// payments without a region those refunds whose method is not. They count as `unknown` until it is, as a rule within
    /// three quarters of a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unsettled: Option<u64>,
    /// The metric.
    #[serde(flatten)]
    pub(crate) metrics: T,
}
