//! The embedded table of cities.

use std::sync::LazyLock;

use super::Region;

/// A city with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct City {
    /// The state in which it lies.
    pub state: &'static str,
    /// Its name.
    pub name: &'static str,
    /// WGS-84 latitude in degrees.
    pub latitude: f64,
    /// WGS-84 longitude in degrees.
    pub longitude: f64,
    /// Is it the capital of its state?
    pub is_capital: bool,
}

impl City {
    /// Its region.
    #[must_use]
    pub const fn region(&self) -> Region {
        Region {
            state: self.state,
            city: self.name,
        }
    }
}

/// Another name for a state, or for a city of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alias {
    pub(super) alias: &'static str,
    pub(super) state: &'static str,
    pub(super) city: Option<&'static str>,
}

pub(super) static CITIES: LazyLock<Vec<City>> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and a test reads it"
    )]
    parse_cities(include_str!("../../data/nigeria.csv")).expect("nigeria.csv is well-formed")
});

pub(super) static ALIASES: LazyLock<Vec<Alias>> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and a test reads it"
    )]
    parse_aliases(include_str!("../../data/aliases.csv")).expect("aliases.csv is well-formed")
});

// Our own files need no quotes, and split like this the names are borrowed from the program itself.
fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(',').collect())
}

fn parse_cities(text: &'static str) -> Option<Vec<City>> {
    let mut cities: Vec<City> = Vec::new();
    for line in lines(text) {
        let [state, name, latitude, longitude] = line.try_into().ok()?;
        let is_capital = cities.last().is_none_or(|previous| previous.state != state);
        let (latitude, longitude) = (latitude.parse().ok()?, longitude.parse().ok()?);
        cities.push(City {
            state,
            name,
            latitude,
            longitude,
            is_capital,
        });
    }
    Some(cities)
}

fn parse_aliases(text: &'static str) -> Option<Vec<Alias>> {
    let alias = |line: Vec<&'static str>| {
        let [alias, state, city] = line.try_into().ok()?;
        Some(Alias {
            alias,
            state,
            city: Some(city).filter(|city| !city.is_empty()),
        })
    };
    lines(text).map(alias).collect()
}
