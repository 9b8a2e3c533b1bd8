//! Where in Nigeria: a state and a city, out of names or coordinates.

mod grid;
mod names;
mod table;

use schemars::JsonSchema;
use serde::Serialize;

pub use table::City;

use crate::{Latitude, Longitude};

/// A state and a city of the embedded table. What is not recognised is `unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Region {
    /// One of the 36 states, `FCT`, or `unknown`.
    pub state: &'static str,
    /// A city of that state, or `unknown`.
    pub city: &'static str,
}

impl Region {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        state: UNKNOWN,
        city: UNKNOWN,
    };

    /// The region of these names.
    ///
    /// Case, accents, spaces, hyphens and the word "State" do not matter; usual other spellings are in an
    /// alias table. A city that does not belong to the state is unknown within it. Without a state, a city
    /// is recognised if only one state has a city of that name. A state that is not recognised makes the
    /// whole region unknown: a name that we cannot read must not move an event to another place.
    #[must_use]
    pub fn from_names(state: Option<&str>, city: Option<&str>) -> Self {
        names::lookup(state, city)
    }

    /// The region of the nearest city, along the great circle, if it is within 100 km.
    #[must_use]
    pub fn from_coordinates(latitude: Latitude, longitude: Longitude) -> Self {
        grid::nearest(latitude, longitude).map_or(Self::UNKNOWN, City::region)
    }

    /// Every city of the table, by state; a state's capital comes first.
    #[must_use]
    pub fn cities() -> &'static [City] {
        &table::CITIES
    }

    /// The names of the 37 states, in order.
    pub fn states() -> impl Iterator<Item = &'static str> {
        table::CITIES
            .iter()
            .filter(|city| city.is_capital)
            .map(|city| city.state)
    }
}

const UNKNOWN: &str = "unknown";
