use shared_schema::Domain;

use super::{Cell, Only, What};
use crate::{payments::of_method, query::Parameters, time::Kept};

impl What {
    /// The events that its list reads.
    pub(super) fn domains(&self) -> Vec<Domain> {
        match self {
            Self::Events(event_type) => vec![event_type.domain()],
            Self::Joined(joined) => joined.domains(),
            Self::Reached(reached) => reached.domains(),
            Self::DriversOfTrips | Self::ActiveTrips { .. } => vec![Domain::Trip],
            Self::DriversOfLocations => vec![Domain::Location],
            Self::ActiveUsers | Self::UsersSeenLast => Domain::ALL.to_vec(),
        }
    }

    /// How long those are stored for certain.
    pub(super) fn kept(&self) -> Kept {
        match self.domains().contains(&Domain::Location) {
            true => Kept::Locations,
            false => Kept::Events,
        }
    }
}

impl Cell {
    /// The condition on an event that it has what a row is about; ` AND` stands before it.
    pub(super) fn and_only(&self, parameters: &mut Parameters) -> String {
        let Some(only) = &self.only else {
            return String::new();
        };
        let condition = match only {
            Only::Method(method) => match &self.what {
                What::Events(event_type) => of_method(*event_type, method, parameters),
                _ => "false".to_owned(),
            },
            Only::Driver(driver) => format!("driver_id = {}", parameters.id("driver", *driver)),
            Only::Route(route) => format!("route_id = {}", parameters.id("route", *route)),
            Only::Place { state, city } => format!(
                "state = {} AND city = {}",
                parameters.text("place_state", state),
                parameters.text("place_city", city)
            ),
            Only::NoClockSkew => "NOT clock_skew".to_owned(),
        };
        format!(" AND {condition}")
    }
}
