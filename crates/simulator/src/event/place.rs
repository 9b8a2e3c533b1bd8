//! Where things happen.

use shared_schema::Region;

/// What every region is that cannot be recognised.
pub const UNKNOWN: Region = Region::UNKNOWN;

/// A WGS-84 point in millionths of a degree (about 11 cm), so that its text is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// Latitude, north positive, in millionths of a degree.
    pub lat_e6: i32,
    /// Longitude, east positive, in millionths of a degree.
    pub lon_e6: i32,
}
