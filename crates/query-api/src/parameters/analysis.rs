use std::time::Duration;

use analytics::{
    funnel::{self, Steps, StepsError},
    time::{BeyondRetention, MAX_POINTS},
    trends::{Metric, TrendError, UnknownMetric},
};

use super::{Fault, Given, ParameterError, given::nearest, selection::too_many_points};

const A_WINDOW: &str = "Allowed are whole seconds from 1s to 90d, as 30d, 12h or 90m.";

/// The steps of a funnel.
pub(crate) fn steps(given: &Given) -> Result<Steps, ParameterError> {
    let Some(text) = given.get("steps") else {
        return Ok(Steps::default());
    };
    text.parse().map_err(|error: StepsError| {
        let fault = match error {
            StepsError::Unknown(_) => Fault::Unreadable,
            StepsError::Nobody(_) | StepsError::Number(_) => Fault::OutOfRange,
        };
        let allowed = format!(
            "Allowed are {} to {} types of user, booking, payment and trip events, separated by commas.",
            funnel::STEPS.start(),
            funnel::STEPS.end()
        );
        ParameterError::new("steps", fault, error.to_string(), allowed)
    })
}

/// How long after the first step the last may come.
pub(crate) fn window(given: &Given) -> Result<Duration, ParameterError> {
    let Some(text) = given.get("window") else {
        return Ok(funnel::DEFAULT_WINDOW);
    };
    let window = humantime::parse_duration(text).map_err(|error| {
        ParameterError::new("window", Fault::Unreadable, error.to_string(), A_WINDOW)
    })?;
    let is_whole = window.subsec_nanos() == 0;
    match is_whole && (Duration::from_secs(1)..=funnel::LONGEST_WINDOW).contains(&window) {
        true => Ok(window),
        false => Err(ParameterError::new(
            "window",
            Fault::OutOfRange,
            "it is too short or too long, or no whole number of seconds",
            A_WINDOW,
        )),
    }
}

/// What is said of a table that would have too many cells.
pub(crate) fn too_many_cells(name: &str) -> ParameterError {
    ParameterError::new(
        name,
        Fault::TooManyPoints,
        format!("the answer would have more than {MAX_POINTS} cells"),
        "Allowed are a shorter range, a wider unit, or fewer periods.",
    )
}

/// The metric of a trend.
pub(crate) fn trend_metric(given: &Given) -> Result<Metric, ParameterError> {
    let names = || Metric::ALL.into_iter().map(Metric::name);
    let allowed = || format!("Allowed are {}.", names().collect::<Vec<_>>().join(", "));
    let Some(text) = given.get("metric") else {
        let why = "a trend is of one metric";
        return Err(ParameterError::new(
            "metric",
            Fault::Missing,
            why,
            allowed(),
        ));
    };
    text.parse().map_err(|error: UnknownMetric| {
        let why = match nearest(text, names()) {
            Some(near) => format!("{error}; did you mean {near}?"),
            None => error.to_string(),
        };
        ParameterError::new("metric", Fault::Unreadable, why, allowed())
    })
}

/// What is said of a trend that cannot be made.
pub(crate) fn no_trend(error: TrendError) -> ParameterError {
    match error {
        TrendError::TooManyPoints(error) => too_many_points(error),
        TrendError::NoPeriodBefore => ParameterError::new(
            "compare",
            Fault::OutOfRange,
            error.to_string(),
            "Allowed are ranges that the clock of tz does not skip a day or month before; or leave compare out.",
        ),
    }
}

/// What is said of a period before whose bounds cannot be answered.
pub(crate) fn previous_gone(error: BeyondRetention) -> ParameterError {
    ParameterError::new(
        "compare",
        Fault::OutOfRange,
        format!("the period before begins or ends off the quarters of an hour, and {error}"),
        "Allowed are bounds on quarters of an hour; or leave compare out.",
    )
}

/// What is said of users who registered before days can be told apart.
pub(crate) fn too_long_ago() -> ParameterError {
    ParameterError::new(
        "start_date",
        Fault::OutOfRange,
        "so many days cannot be told apart",
        "Allowed are starts in the last thirty years.",
    )
}
