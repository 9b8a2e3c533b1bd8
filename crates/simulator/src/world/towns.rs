//! The towns in which OpenRide drives: those of the contract's table, with our own idea of their size.

use super::Geometry;
use crate::dice::{Dice, float, whole};
use crate::event::Point;
use shared_schema::Region;

/// A town.
#[derive(Debug, Clone)]
pub(crate) struct Town {
    pub(crate) region: Region,
    pub(crate) centre: Point,
    /// Within this distance of the centre no other town of the table is nearer.
    pub(crate) radius_m: f64,
    /// How much of the traffic it has.
    pub(crate) weight: u32,
    /// Other towns within 40 km.
    pub(crate) near: Vec<usize>,
    /// Larger towns within 450 km.
    pub(crate) far: Vec<usize>,
}

/// All of them, the busiest first.
#[derive(Debug, Clone)]
pub(crate) struct Towns {
    towns: Vec<Town>,
    total_weight: u32,
}

/// Our guess at the demand of the larger towns; the others have 1.
const WEIGHTS: [(&str, &str, u32); 36] = [
    ("FCT", "Abuja", 130),
    ("Lagos", "Ikeja", 120),
    ("Lagos", "Lagos", 110),
    ("Oyo", "Ibadan", 90),
    ("Lagos", "Lekki", 88),
    ("Kano", "Kano", 84),
    ("Lagos", "Yaba", 80),
    ("Lagos", "Victoria Island", 78),
    ("Rivers", "Port Harcourt", 76),
    ("Lagos", "Ikorodu", 60),
    ("Edo", "Benin City", 52),
    ("Kaduna", "Kaduna", 50),
    ("Enugu", "Enugu", 44),
    ("Anambra", "Onitsha", 42),
    ("Abia", "Aba", 40),
    ("Delta", "Warri", 36),
    ("Plateau", "Jos", 34),
    ("Kwara", "Ilorin", 33),
    ("Ogun", "Abeokuta", 32),
    ("Akwa Ibom", "Uyo", 30),
    ("Cross River", "Calabar", 28),
    ("Imo", "Owerri", 28),
    ("Borno", "Maiduguri", 26),
    ("Ondo", "Akure", 24),
    ("Kaduna", "Zaria", 24),
    ("Osun", "Osogbo", 22),
    ("Sokoto", "Sokoto", 20),
    ("Osun", "Ile-Ife", 18),
    ("Niger", "Minna", 16),
    ("Benue", "Makurdi", 16),
    ("Delta", "Asaba", 16),
    ("Bauchi", "Bauchi", 14),
    ("Gombe", "Gombe", 14),
    ("Kogi", "Lokoja", 12),
    ("Adamawa", "Yola", 12),
    ("Anambra", "Awka", 12),
];

/// Towns whose centres are closer than this are one town to a telephone.
const SMALLEST_RADIUS_M: f64 = 250.0;

impl Towns {
    pub(crate) fn of_nigeria() -> Self {
        let mut towns = bare_towns();
        towns.sort_by_key(|town| (std::cmp::Reverse(town.weight), town.region));
        link(&mut towns);
        let total_weight = towns.iter().map(|town| town.weight).sum();
        Self {
            towns,
            total_weight,
        }
    }

    /// One of the towns, as likely as its traffic.
    pub(crate) fn draw(&self, dice: &mut Dice) -> usize {
        let mut left = dice.between(0, i64::from(self.total_weight) - 1);
        for (index, town) in self.towns.iter().enumerate() {
            left -= i64::from(town.weight);
            if left < 0 {
                return index;
            }
        }
        0
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Town> {
        self.towns.get(index)
    }

    /// The town of a region.
    pub(crate) fn find(&self, region: Region) -> Option<usize> {
        self.towns.iter().position(|town| town.region == region)
    }

    pub(crate) const fn len(&self) -> usize {
        self.towns.len()
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> &[Town] {
        &self.towns
    }
}

fn bare_towns() -> Vec<Town> {
    let centres: Vec<(Region, Point)> = Region::cities()
        .iter()
        .map(|city| {
            (
                city.region(),
                Geometry::point(city.latitude, city.longitude),
            )
        })
        .collect();
    let towns = centres.iter().enumerate().map(|(index, (region, centre))| {
        let others = centres
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index);
        let nearest_km = others
            .map(|(_, (_, other))| Geometry::kilometres(*centre, *other))
            .fold(20.0, f64::min);
        let radius_m = (nearest_km * 400.0).min(6_000.0);
        let weight = WEIGHTS
            .iter()
            .find(|(state, city, _)| (*state, *city) == (region.state, region.city));
        let weight = weight.map_or(1, |(_, _, weight)| *weight);
        Town {
            region: *region,
            centre: *centre,
            radius_m,
            weight,
            near: Vec::new(),
            far: Vec::new(),
        }
    });
    towns
        .filter(|town| town.radius_m >= SMALLEST_RADIUS_M)
        .collect()
}

fn link(towns: &mut [Town]) {
    let places: Vec<(Point, u32)> = towns
        .iter()
        .map(|town| (town.centre, town.weight))
        .collect();
    for (index, town) in towns.iter_mut().enumerate() {
        for (other, (centre, weight)) in places
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
        {
            match whole(Geometry::kilometres(town.centre, *centre)) {
                0..=40 => town.near.push(other),
                41..=450 if *weight > 1 => town.far.push(other),
                _ => {}
            }
        }
    }
}

impl Town {
    /// Somewhere in it.
    pub(crate) fn somewhere(&self, dice: &mut Dice) -> Point {
        Geometry::near(self.centre, self.radius_m, dice)
    }

    /// Where its road trips go: across the town, to the next one, or (`far`) to another part of the country.
    pub(crate) fn destination(&self, own: usize, far: bool, dice: &mut Dice) -> usize {
        let choice = dice.unit();
        let across = float(whole(self.radius_m)) / 12_000.0;
        let elsewhere = if choice < across {
            None
        } else if far && choice > 0.95 {
            dice.pick(&self.far)
        } else {
            dice.pick(&self.near)
        };
        elsewhere.copied().unwrap_or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Subject;
    use shared_schema::{Latitude, Longitude};

    #[test]
    fn every_weighted_town_is_in_the_table() {
        let towns = Towns::of_nigeria();
        for (state, city, weight) in WEIGHTS {
            let town = towns
                .all()
                .iter()
                .find(|town| (town.region.state, town.region.city) == (state, city));
            assert_eq!(
                town.map(|town| town.weight),
                Some(weight),
                "{city}, {state}"
            );
        }
        assert!(towns.all().len() > 150, "{}", towns.all().len());
    }

    #[test]
    fn a_point_in_a_town_is_in_the_region_of_that_town() {
        let mut dice = Dice::new(5, Subject::Mess, 0);
        for town in Towns::of_nigeria().all() {
            for _ in 0..40 {
                let point = town.somewhere(&mut dice);
                let latitude = Latitude::new(f64::from(point.lat_e6) / 1e6).unwrap();
                let longitude = Longitude::new(f64::from(point.lon_e6) / 1e6).unwrap();
                assert_eq!(Region::from_coordinates(latitude, longitude), town.region);
            }
        }
    }

    #[test]
    fn a_telephone_without_a_fix_is_in_no_region() {
        let (latitude, longitude) = (Latitude::new(0.0).unwrap(), Longitude::new(0.0).unwrap());
        assert_eq!(
            Region::from_coordinates(latitude, longitude),
            Region::UNKNOWN
        );
    }
}
