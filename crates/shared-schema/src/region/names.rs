//! From names as people write them to the names of the table.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table::{ALIASES, CITIES};
use super::{Region, UNKNOWN};

/// Longer than any name of the table; what does not fit is not in it.
const LONGEST: usize = 48;

static NAMES: LazyLock<Names> = LazyLock::new(Names::build);

pub(super) fn lookup(state: Option<&str>, city: Option<&str>) -> Region {
    let state = state.map(Folded::new).filter(|name| !name.is_blank());
    let city = city.map(Folded::new).filter(|name| !name.is_blank());
    match (state, city) {
        (Some(state), city) => match NAMES.state(&state) {
            Some(state) => NAMES.within(state, city.as_ref()),
            None => Region::UNKNOWN,
        },
        (None, Some(city)) => NAMES.only_city(&city).unwrap_or(Region::UNKNOWN),
        (None, None) => Region::UNKNOWN,
    }
}

/// A name without all that people write in different ways.
#[derive(Clone, Copy)]
struct Folded {
    bytes: [u8; LONGEST],
    length: usize,
    fits: bool,
}

impl Folded {
    fn new(name: &str) -> Self {
        let mut folded = Self {
            bytes: [0; LONGEST],
            length: 0,
            fits: true,
        };
        name.chars()
            .filter_map(fold)
            .for_each(|byte| folded.push(byte));
        folded
    }

    fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
            }
            None => self.fits = false,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        if self.fits {
            self.bytes.get(..self.length).unwrap_or_default()
        } else {
            b"?"
        }
    }

    fn is_blank(&self) -> bool {
        self.length == 0
    }
}

/// The letter or digit that counts. Nothing for what only decorates or separates.
fn fold(letter: char) -> Option<u8> {
    let lower = match letter {
        'A'..='Z' | 'a'..='z' | '0'..='9' => letter.to_ascii_lowercase(),
        'À' | 'Á' | 'à' | 'á' => 'a',
        'È' | 'É' | 'Ẹ' | 'è' | 'é' | 'ẹ' => 'e',
        'Ì' | 'Í' | 'Ị' | 'ì' | 'í' | 'ị' => 'i',
        'Ò' | 'Ó' | 'Ọ' | 'ò' | 'ó' | 'ọ' => 'o',
        'Ù' | 'Ú' | 'Ụ' | 'ù' | 'ú' | 'ụ' => 'u',
        'Ṣ' | 'ṣ' => 's',
        // A combining accent or dot below belongs to the letter before it.
        '\u{300}'..='\u{36f}' => return None,
        _ if letter.is_alphanumeric() => '?',
        _ => return None,
    };
    u8::try_from(lower).ok()
}

type Key = Box<[u8]>;

struct Names {
    states: HashMap<Key, &'static str>,
    /// By state and city.
    cities: HashMap<&'static str, HashMap<Key, &'static str>>,
    /// By city alone; `None` where several states have one of that name.
    only: HashMap<Key, Option<Region>>,
}

impl Names {
    fn build() -> Self {
        let mut names = Self {
            states: HashMap::new(),
            cities: HashMap::new(),
            only: HashMap::new(),
        };
        for city in CITIES.iter() {
            names.states.insert(key(city.state), city.state);
            names.add_city(city.name, city.region());
        }
        for alias in ALIASES.iter() {
            match alias.city {
                Some(city) => names.add_city(
                    alias.alias,
                    Region {
                        state: alias.state,
                        city,
                    },
                ),
                None => {
                    names.states.insert(key(alias.alias), alias.state);
                }
            }
        }
        names
    }

    fn add_city(&mut self, name: &str, region: Region) {
        self.cities
            .entry(region.state)
            .or_default()
            .insert(key(name), region.city);
        self.only
            .entry(key(name))
            .and_modify(|known| *known = known.filter(|known| *known == region))
            .or_insert(Some(region));
    }

    fn state(&self, name: &Folded) -> Option<&'static str> {
        let name = name.as_bytes();
        let bare = || self.states.get(name.strip_suffix(b"state")?);
        self.states.get(name).or_else(bare).copied()
    }

    fn within(&self, state: &'static str, city: Option<&Folded>) -> Region {
        let known = || self.cities.get(state)?.get(city?.as_bytes()).copied();
        Region {
            state,
            city: known().unwrap_or(UNKNOWN),
        }
    }

    fn only_city(&self, city: &Folded) -> Option<Region> {
        self.only.get(city.as_bytes()).copied().flatten()
    }
}

fn key(name: &str) -> Key {
    Folded::new(name).as_bytes().into()
}
