use analytics::time::DateRange;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A metric or analysis over a range.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer<T> {
    /// What was asked for, made explicit.
    pub(crate) date_range: DateRange,
    /// Everything that arrived at the broker before this is in the numbers; `null` as long as that is not known of
    /// every partition. It does not promise that no late events will come.
    #[schema(required)]
    pub(crate) complete_through: Option<DateTime<Utc>>,
    /// With a region, and always of payments and of what is spread over regions: facts whose region is not known yet, of
    /// payments without a region those refunds whose method is not. They count as `unknown` until it is, as a rule within
    /// three quarters of a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) unsettled: Option<u64>,
    /// The metric.
    #[serde(flatten)]
    pub(crate) metrics: T,
}
