use std::time::Duration;

use analytics::{
    funnel::{self, Steps, StepsError},
    time::MAX_POINTS,
    trends::Metric,
};

use super::{Fault, Given, ParameterError, given::nearest};

const A_WINDOW: &str = "Allowed are 1s to 90d, as 30d, 12h or 90m.";

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
    match (Duration::from_secs(1)..=funnel::LONGEST_WINDOW).contains(&window) {
        true => Ok(window),
        false => Err(ParameterError::new(
            "window",
            Fault::OutOfRange,
            "it is too short or too long",
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
    text.parse()
        .map_err(|error: analytics::trends::UnknownMetric| {
            let why = match nearest(text, names()) {
                Some(near) => format!("{error}; did you mean {near}?"),
                None => error.to_string(),
            };
            ParameterError::new("metric", Fault::Unreadable, why, allowed())
        })
}

/// Whether a trend is compared with the period before.
pub(crate) fn compares(given: &Given) -> Result<bool, ParameterError> {
    match given.get("compare") {
        None => Ok(false),
        Some("previous_period") => Ok(true),
        Some(_) => Err(ParameterError::new(
            "compare",
            Fault::Unreadable,
            "it is not previous_period",
            "Allowed is previous_period.",
        )),
    }
}
