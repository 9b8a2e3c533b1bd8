use analytics::time::TooOld;

use super::{Fault, Given, ParameterError};

/// Points of a time series each of whose counts has a token, or numbers of cohorts that do.
const MOST_POINTS: usize = 1_000;

/// Checks that a time series with cells, or a table of cohorts, is not too long.
pub(crate) fn few_enough(points: usize) -> Result<(), ParameterError> {
    match points > MOST_POINTS {
        true => Err(ParameterError::new(
            "include_cells",
            Fault::OutOfRange,
            format!("there are more than {MOST_POINTS} points or numbers of cohorts"),
            "Allowed are a wider granularity or cohort_type, fewer periods, or a shorter range.",
        )),
        false => Ok(()),
    }
}

/// The token of a count.
pub(crate) fn cell(given: &Given) -> Result<&str, ParameterError> {
    given.get("cell").ok_or_else(|| {
        ParameterError::new(
            "cell",
            Fault::Missing,
            "the events of one count are listed",
            "Allowed is a token out of the cells of an answer with include_cells=true.",
        )
    })
}

/// What is said where no count can be opened.
pub(crate) fn not_configured(name: &str) -> ParameterError {
    ParameterError::new(
        name,
        Fault::NotConfigured,
        "counts cannot be opened here",
        "An operator has to set cells.secret (OPENRIDE_CELLS_SECRET).",
    )
}

/// What is said of a period before whose counts cannot be opened.
pub(crate) fn previous_not_opened(error: TooOld) -> ParameterError {
    ParameterError::new(
        "compare",
        Fault::OutOfRange,
        format!("{error}, and the period before begins earlier"),
        format!(
            "Allowed are ranges whose period before begins at {} or later; or leave compare or include_cells out.",
            error.earliest
        ),
    )
}
