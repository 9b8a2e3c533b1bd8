//! When: the text of a bound, the clock of a zone, a range of instants, its place on the grid of the
//! aggregates, and its calendar units.
//!
//! ```text
//! "2024-01-31" ──Moment──▶ DateRange (instants, half open) ──▶ Grid: [slice) core [slice)
//!                                                   └──────▶ Buckets: local hours … months
//! ```

mod buckets;
mod days;
mod grid;
mod local;
mod moment;
mod range;

pub use buckets::{Buckets, Granularity, MAX_POINTS, TooManyPoints};
pub use grid::{BeyondRetention, Kept, Side, Span, TooOld};
pub use moment::{Moment, MomentError};
pub use range::{DateRange, Reversed};

pub(crate) use buckets::DayStarts;
pub(crate) use days::LocalDays;
pub(crate) use grid::{Grid, clamped};
pub(crate) use local::{day_start, local_date};
pub(crate) use range::last_days_start;
