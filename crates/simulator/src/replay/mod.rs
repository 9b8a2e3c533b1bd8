//! A replay of real trips that nobody here wrote: the taxi demand of Manhattan on the business days of 2018.
//!
//! ```text
//! trips.csv ─► TripTable ─► scaled 1:n ─► towns by rank ─► booking.created … trip.completed ─► Occurrence
//! ```
//!
//! The table counts trips by day of the week, quarter of an hour, and pick-up and drop-off zone. Its zones become
//! Nigerian towns by the rank of their demand, its weekdays those of one week. Every trip of the scaled table takes
//! place: `booking.created` lies in the trip's quarter of an hour, `trip.completed` follows.

mod error;
mod scale;
mod source;
mod story;
mod table;
mod zones;

pub use error::ReplayError;
pub use source::{PUBLISHED_ROWS, PUBLISHED_TRIPS, find_trips, read_trips};
pub use story::Replay;
pub use table::{Cell, TripTable};
