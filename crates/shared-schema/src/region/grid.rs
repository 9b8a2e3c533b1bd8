//! The nearest city to a point, by a grid over the cities.
//!
//! Each cell of a quarter of a degree keeps the cities that are nearest to at least one point of it, so
//! that a look-up compares a handful. Distances are chords between points of the unit sphere: they order
//! as great-circle distances do and need no trigonometry but the point's own.

use std::sync::LazyLock;

use super::table::{CITIES, City};
use crate::{Latitude, Longitude};

const EARTH_RADIUS_KM: f64 = 6371.0088;
const REACH_KM: f64 = 100.0;

/// Cells per degree.
const FINENESS: f64 = 4.0;
// One degree beyond the table's outermost cities, which is more than 100 km at these latitudes.
const SOUTH: f64 = 3.0;
const WEST: f64 = 1.5;
const ROWS: usize = 48;
const COLUMNS: usize = 60;

static GRID: LazyLock<Vec<Box<[Candidate]>>> = LazyLock::new(build);
static REACH: LazyLock<f64> = LazyLock::new(|| squared_chord_of_km(REACH_KM));

pub(super) fn nearest(latitude: Latitude, longitude: Longitude) -> Option<&'static City> {
    let cell = cell_of(latitude.get(), longitude.get())?;
    let candidates = GRID.get(cell)?;
    let point = Point::new(latitude.get(), longitude.get());
    let mut best: Option<(f64, usize)> = None;
    for candidate in candidates {
        let distance = point.squared_chord(&candidate.point);
        // Of equally near cities the first in the table wins.
        if distance <= *REACH && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate.city));
        }
    }
    CITIES.get(best?.1)
}

#[derive(Clone, Copy)]
struct Candidate {
    point: Point,
    /// Its place in the table.
    city: usize,
}

/// A point of the unit sphere.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
    z: f64,
}

impl Point {
    fn new(latitude: f64, longitude: f64) -> Self {
        let (sin_lat, cos_lat) = latitude.to_radians().sin_cos();
        let (sin_lon, cos_lon) = longitude.to_radians().sin_cos();
        Self {
            x: cos_lat * cos_lon,
            y: cos_lat * sin_lon,
            z: sin_lat,
        }
    }

    fn squared_chord(&self, other: &Self) -> f64 {
        (self.x - other.x).powi(2) + (self.y - other.y).powi(2) + (self.z - other.z).powi(2)
    }

    fn km(&self, other: &Self) -> f64 {
        2.0 * EARTH_RADIUS_KM * (self.squared_chord(other).sqrt() / 2.0).asin()
    }
}

fn squared_chord_of_km(km: f64) -> f64 {
    (2.0 * (km / EARTH_RADIUS_KM / 2.0).sin()).powi(2)
}

fn cell_of(latitude: f64, longitude: f64) -> Option<usize> {
    let row = index(latitude - SOUTH, ROWS)?;
    let column = index(longitude - WEST, COLUMNS)?;
    Some(row * COLUMNS + column)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and far below 2^53"
)]
fn index(degrees: f64, cells: usize) -> Option<usize> {
    let index = (degrees >= 0.0).then_some((degrees * FINENESS) as usize)?;
    (index < cells).then_some(index)
}

fn build() -> Vec<Box<[Candidate]>> {
    let all: Vec<Candidate> = CITIES
        .iter()
        .enumerate()
        .map(|(city, place)| Candidate {
            point: Point::new(place.latitude, place.longitude),
            city,
        })
        .collect();
    (0..ROWS * COLUMNS)
        .map(|cell| candidates_of(cell, &all))
        .collect()
}

/// A city can be the nearest to some point of a cell only if it is no farther from the cell's middle than
/// the nearest city there, give or take the way from the middle to a corner, twice.
fn candidates_of(cell: usize, all: &[Candidate]) -> Box<[Candidate]> {
    let (middle, radius_km) = middle_and_radius(cell / COLUMNS, cell % COLUMNS);
    let distance = |candidate: &Candidate| middle.km(&candidate.point);
    let nearest_km = all.iter().map(distance).fold(f64::INFINITY, f64::min);
    let limit_km = (nearest_km + 2.0 * radius_km).min(REACH_KM + radius_km);
    all.iter()
        .filter(|candidate| distance(candidate) <= limit_km)
        .copied()
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rows and columns are fewer than a hundred"
)]
fn middle_and_radius(row: usize, column: usize) -> (Point, f64) {
    let south = SOUTH + row as f64 / FINENESS;
    let west = WEST + column as f64 / FINENESS;
    let half = 0.5 / FINENESS;
    let middle = Point::new(south + half, west + half);
    // The corner towards the equator is the farthest; a little more covers rounding.
    let corner_km = middle
        .km(&Point::new(south, west))
        .max(middle.km(&Point::new(south + 2.0 * half, west)));
    (middle, corner_km * 1.001)
}
