//! What a benchmark is held to. That of the queries takes this file, too.

use anyhow::ensure;
use std::{
    fmt,
    ops::{Bound, RangeBounds},
};

/// A figure and the range that it must be in.
pub(crate) struct Bar {
    what: String,
    /// Not a number where nothing was measured; that is in no range.
    figure: f64,
    limit: (Bound<f64>, Bound<f64>),
    unit: &'static str,
}

impl Bar {
    pub(crate) fn new(
        what: impl Into<String>,
        figure: impl Into<Option<f64>>,
        limit: impl RangeBounds<f64>,
        unit: &'static str,
    ) -> Self {
        Self {
            what: what.into(),
            figure: figure.into().unwrap_or(f64::NAN),
            limit: (limit.start_bound().cloned(), limit.end_bound().cloned()),
            unit,
        }
    }

    pub(crate) fn is_met(&self) -> bool {
        self.limit.contains(&self.figure)
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, .. } = self;
        let verdict = if self.is_met() { "met" } else { "missed" };
        write!(f, "{verdict:<6}  {what}: ")?;
        if self.figure.is_nan() {
            write!(f, "not measured")?;
        } else {
            write!(f, "{:.2} {unit}", self.figure)?;
        }
        match self.limit.0 {
            Bound::Included(least) => write!(f, ", at least {least} {unit}")?,
            Bound::Excluded(least) => write!(f, ", more than {least} {unit}")?,
            Bound::Unbounded => (),
        }
        match self.limit.1 {
            Bound::Included(most) => write!(f, ", at most {most} {unit}"),
            Bound::Excluded(most) => write!(f, ", less than {most} {unit}"),
            Bound::Unbounded => Ok(()),
        }
    }
}

/// Prints the bars, those that were missed last; they are a failure only in a `check`.
pub(crate) fn judge(mut bars: Vec<Bar>, check: bool) -> anyhow::Result<()> {
    bars.sort_by_key(|bar| !bar.is_met());
    println!("\nBars:");
    for bar in &bars {
        println!("{bar}");
    }
    let missed = bars.iter().filter(|bar| !bar.is_met()).count();
    ensure!(
        missed == 0 || !check,
        "{missed} of {} bars were missed",
        bars.len()
    );
    Ok(())
}
