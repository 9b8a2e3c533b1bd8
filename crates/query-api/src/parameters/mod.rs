//! The parameters of a request, read strictly: what is not known is refused, so that a typo cannot pass for an
//! answer over everything.

mod analysis;
mod cells;
mod documented;
mod given;
mod selection;
mod texts;

pub(crate) use self::{
    analysis::{
        no_trend, previous_gone, steps, too_long_ago, too_many_cells, trend_metric, window,
    },
    cells::{cell, few_enough, not_configured, previous_not_opened},
    documented::{
        CellsParameters, CohortParameters, Compare, DeadLetterParameters, DriversLimit,
        EventsParameters, FunnelParameters, GeographicParameters, RangeParameters,
        RegionParameters, RetentionParameters, RoutesLimit, SeriesParameters, TrendsParameters,
    },
    given::{Given, Parameter, documented, opened},
    selection::{dates, number, number_within, region, selection, series},
};

/// What is wrong with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is none of this name.
    Unknown,
    /// It is given more than once.
    Repeated,
    /// Its text cannot be read.
    Unreadable,
    /// It is absent, but another parameter needs it.
    Missing,
    /// It can be read, but is not allowed.
    OutOfRange,
    /// The range ends before it begins.
    StartAfterEnd,
    /// The series would be too long.
    TooManyPoints,
    /// There is no such state or city.
    UnknownRegion,
    /// There is one, and it is none of the caller's.
    OutOfScope,
    /// There is no such reason code.
    UnknownReason,
    /// No such topic is known.
    UnknownTopic,
    /// It needs something that is not configured.
    NotConfigured,
}

/// A parameter that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub(crate) struct ParameterError {
    /// Its name.
    pub(crate) name: String,
    /// The kind of fault.
    pub(crate) fault: Fault,
    /// What is wrong, as the rest of a sentence.
    pub(crate) why: String,
    /// What is allowed, as a sentence.
    pub(crate) allowed: String,
}

impl ParameterError {
    pub(crate) fn new(
        name: &str,
        fault: Fault,
        why: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        // A name can come from the client, and be of any length.
        let name = name.chars().take(100).collect();
        Self {
            name,
            fault,
            why: why.into(),
            allowed: allowed.into(),
        }
    }
}
