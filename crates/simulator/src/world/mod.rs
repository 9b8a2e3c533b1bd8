//! The simulated country: its towns, the people in them, the routes between them, and when people travel.

mod demand;
mod fleet;
mod geometry;
mod names;
mod people;
mod route;
mod towns;

pub use demand::Shape;
pub(crate) use demand::{Demand, road_speed_kmh};
pub(crate) use fleet::Fleet;
pub(crate) use geometry::Geometry;
pub(crate) use names::NAMES;
pub(crate) use people::{Newcomer, People};
pub(crate) use route::{Route, fare_kobo};
pub(crate) use towns::Towns;
