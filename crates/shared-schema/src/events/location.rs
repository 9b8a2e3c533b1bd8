//! Where drivers are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bearing, KilometresPerHour, Latitude, Longitude, Metres, Text, TripId, UserId};

/// `driver.location.updated`: a ping of a driver's phone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DriverLocationUpdated<'a> {
    /// Who drives.
    pub driver_id: UserId,
    /// The ride under way, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trip_id: Option<TripId>,
    /// Latitude of the driver.
    pub lat: Latitude,
    /// Longitude of the driver.
    pub lon: Longitude,
    /// How fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_kmh: Option<KilometresPerHour>,
    /// In which direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearing: Option<Bearing>,
    /// How sure the phone is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_meters: Option<Metres>,
    /// City, as given.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Text<'a>>,
    /// State, as given.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Text<'a>>,
}
