//! Plane geometry on a small part of the globe, in arithmetic that is the same on every machine.

use crate::dice::{Dice, float, whole};
use crate::event::Point;

const METRES_PER_DEGREE: f64 = 111_195.0;
const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;

/// Distances and points; good to a percent between the latitudes of Nigeria.
pub(crate) struct Geometry;

impl Geometry {
    pub(crate) fn point(latitude: f64, longitude: f64) -> Point {
        let millionths = |degrees: f64| i32::try_from(whole(degrees * 1e6)).unwrap_or_default();
        Point {
            lat_e6: millionths(latitude),
            lon_e6: millionths(longitude),
        }
    }

    /// Along the air line.
    pub(crate) fn kilometres(from: Point, to: Point) -> f64 {
        let degrees = |millionths: i32| f64::from(millionths) / 1e6;
        let north = degrees(to.lat_e6) - degrees(from.lat_e6);
        let middle = f64::midpoint(degrees(from.lat_e6), degrees(to.lat_e6));
        let east = (degrees(to.lon_e6) - degrees(from.lon_e6)) * cosine(middle);
        (north * north + east * east).sqrt() * METRES_PER_DEGREE / 1000.0
    }

    /// The point after `share` of the way.
    pub(crate) fn between(from: Point, to: Point, share: f64) -> Point {
        let mix = |from: i32, to: i32| {
            let way = float(i64::from(to) - i64::from(from)) * share;
            i32::try_from(i64::from(from) + whole(way)).unwrap_or(from)
        };
        Point {
            lat_e6: mix(from.lat_e6, to.lat_e6),
            lon_e6: mix(from.lon_e6, to.lon_e6),
        }
    }

    /// A point at most `radius_m` metres from `centre`.
    pub(crate) fn near(centre: Point, radius_m: f64, dice: &mut Dice) -> Point {
        // Inside the square that fits into the circle.
        let half_side = radius_m * 0.7;
        let north_m = (dice.unit() * 2.0 - 1.0) * half_side;
        let east_m = (dice.unit() * 2.0 - 1.0) * half_side;
        let millionths = |metres: f64| whole(metres / METRES_PER_DEGREE * 1e6);
        let latitude = f64::from(centre.lat_e6) / 1e6;
        let move_by = |from: i32, by: i64| i32::try_from(i64::from(from) + by).unwrap_or(from);
        Point {
            lat_e6: move_by(centre.lat_e6, millionths(north_m)),
            lon_e6: move_by(centre.lon_e6, millionths(east_m / cosine(latitude))),
        }
    }
}

/// The first terms of its series: exact to six digits below 20°, and free of the machine's own cosine.
fn cosine(degrees: f64) -> f64 {
    let square = (degrees * RADIANS_PER_DEGREE) * (degrees * RADIANS_PER_DEGREE);
    1.0 - square / 2.0 + square * square / 24.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Subject;

    #[test]
    fn lagos_is_some_535_km_from_abuja() {
        let (lagos, abuja) = (
            Geometry::point(6.4541, 3.3947),
            Geometry::point(9.0579, 7.4951),
        );
        let distance = Geometry::kilometres(lagos, abuja);
        assert!((530.0..545.0).contains(&distance), "{distance}");
    }

    #[test]
    fn near_means_within_the_radius() {
        let centre = Geometry::point(12.0, 8.5);
        let mut dice = Dice::new(1, Subject::Mess, 0);
        for _ in 0..1_000 {
            assert!(
                Geometry::kilometres(centre, Geometry::near(centre, 3_000.0, &mut dice)) <= 3.0
            );
        }
    }
}
