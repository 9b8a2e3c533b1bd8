//! Quantities with their units and limits.

mod measure;
mod whole;

pub use measure::{Bearing, Kilometres, KilometresPerHour, Latitude, Longitude, Metres};
pub use whole::{Count, Milliseconds, Minutes, Seats};
