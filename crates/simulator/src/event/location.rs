//! Where drivers are.

use super::Point;
use shared_schema::Region;
use uuid::Uuid;

/// A `driver.location.updated` event.
#[derive(Debug, Clone, PartialEq)]
pub struct Ping {
    /// `driver_id`
    pub driver: Uuid,
    /// `trip_id`, while on one
    pub trip: Option<Uuid>,
    /// `lat`, `lon`
    pub at: Point,
    /// `speed_kmh` in tenths
    pub speed_deci_kmh: Option<u16>,
    /// `bearing` in whole degrees, 0–359
    pub bearing: Option<u16>,
    /// `accuracy_meters`
    pub accuracy_m: Option<u16>,
    /// Whether the telephone fills in `city` and `state`; then they name `region`.
    pub named: bool,
    /// Where the driver is.
    pub region: Region,
}
