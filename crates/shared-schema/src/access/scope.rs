use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::Region;

/// The most places that a scope may name; there are 37 states.
pub const MOST_PLACES: usize = 200;

/// The regions that a caller may see: `null` for all, else a list of [`Place`]s, by their names in the table of regions.
///
/// A scope that was read is in its one form: places are in order, and none lies in another. Equal scopes are therefore
/// written equally.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Option<Vec<Place>>", into = "Option<Vec<Place>>")]
pub enum Scope {
    /// All of them, and what has none.
    #[default]
    Everywhere,
    /// Those in these places, of which there is at least one.
    Within(BTreeSet<Place>),
}

/// A state, or a city in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The state.
    pub state: String,
    /// The city; all of the state without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
}

/// Why a list of places is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Nobody needs a caller that sees nothing.
    #[error("a scope names at least one place")]
    Empty,
    /// It is longer than any that is needed.
    #[error("a scope names at most {MOST_PLACES} places")]
    TooMany,
    /// A name is not in the table of regions.
    #[error("there is no such place as {0}")]
    Unknown(Place),
}

impl Scope {
    /// The scope of these places, by any of their usual names.
    ///
    /// # Errors
    /// When there are none or too many, or one is not in the table of regions.
    pub fn within(places: impl IntoIterator<Item = Place>) -> Result<Self, ScopeError> {
        let mut known = BTreeSet::new();
        for (number, place) in places.into_iter().enumerate() {
            if number == MOST_PLACES {
                return Err(ScopeError::TooMany);
            }
            known.insert(place.known()?);
        }
        let whole: BTreeSet<String> = known
            .iter()
            .filter(|place| place.city.is_none())
            .map(|place| place.state.clone())
            .collect();
        known.retain(|place| place.city.is_none() || !whole.contains(&place.state));
        match known.is_empty() {
            true => Err(ScopeError::Empty),
            false => Ok(Self::Within(known)),
        }
    }

    /// Whether everything that the other scope shows is in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everywhere, _) => true,
            (Self::Within(_), Self::Everywhere) => false,
            (Self::Within(places), Self::Within(others)) => others
                .iter()
                .all(|other| places.iter().any(|place| place.covers(other))),
        }
    }
}

impl Place {
    /// The same place by its names in the table of regions.
    fn known(self) -> Result<Self, ScopeError> {
        let region = Region::from_names(Some(&self.state), self.city.as_deref());
        let is_lost = self.city.is_some() && region.city == Region::UNKNOWN.city;
        if region.state == Region::UNKNOWN.state || is_lost {
            return Err(ScopeError::Unknown(self));
        }
        Ok(Self {
            state: region.state.to_owned(),
            city: self.city.map(|_| region.city.to_owned()),
        })
    }

    fn covers(&self, other: &Self) -> bool {
        self.state == other.state && (self.city.is_none() || self.city == other.city)
    }
}

impl TryFrom<Option<Vec<Place>>> for Scope {
    type Error = ScopeError;

    fn try_from(places: Option<Vec<Place>>) -> Result<Self, ScopeError> {
        places.map_or(Ok(Self::Everywhere), Self::within)
    }
}

impl From<Scope> for Option<Vec<Place>> {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Everywhere => None,
            Scope::Within(places) => Some(places.into_iter().collect()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.city {
            Some(city) => write!(f, "{city} in {}", self.state),
            None => f.write_str(&self.state),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(json: &str) -> Result<Scope, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn written(scope: &Scope) -> String {
        serde_json::to_string(scope).unwrap()
    }

    #[rstest]
    #[case("null", "null")]
    #[case(r#"[{"state":"lagos state"}]"#, r#"[{"state":"Lagos"}]"#)]
    #[case(
        r#"[{"state":"Oyo"},{"state":"Lagos","city":"ikeja"},{"state":"OYO","city":"Ibadan"}]"#,
        r#"[{"state":"Lagos","city":"Ikeja"},{"state":"Oyo"}]"#
    )]
    fn a_scope_is_written_in_its_one_form(#[case] json: &str, #[case] form: &str) {
        assert_eq!(written(&read(json).unwrap()), form);
    }

    #[rstest]
    #[case("[]", "at least one place")]
    #[case(r#"[{"state":"Atlantis"}]"#, "no such place as Atlantis")]
    #[case(r#"[{"state":"unknown"}]"#, "no such place as unknown")]
    #[case(
        r#"[{"state":"Lagos","city":"Kano"}]"#,
        "no such place as Kano in Lagos"
    )]
    #[case(
        r#"[{"state":"Lagos","city":"unknown"}]"#,
        "no such place as unknown in Lagos"
    )]
    #[case(r#"[{"state":"Lagos","town":"Ikeja"}]"#, "unknown field `town`")]
    #[case(r#""Lagos""#, "invalid type")]
    fn what_is_no_scope_is_refused(#[case] json: &str, #[case] why: &str) {
        let error = read(json).unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn a_scope_has_a_bound() {
        let state = || Place {
            state: "Lagos".to_owned(),
            city: None,
        };
        let places = |number| Scope::within(std::iter::repeat_with(state).take(number));
        assert!(places(MOST_PLACES).is_ok());
        assert_eq!(places(MOST_PLACES + 1), Err(ScopeError::TooMany));
    }

    #[rstest]
    #[case("null", "null", true)]
    #[case("null", r#"[{"state":"Lagos"}]"#, true)]
    #[case(r#"[{"state":"Lagos"}]"#, "null", false)]
    #[case(
        r#"[{"state":"Lagos"}]"#,
        r#"[{"state":"Lagos","city":"Ikeja"}]"#,
        true
    )]
    #[case(
        r#"[{"state":"Lagos","city":"Ikeja"}]"#,
        r#"[{"state":"Lagos"}]"#,
        false
    )]
    #[case(
        r#"[{"state":"Lagos"}]"#,
        r#"[{"state":"Lagos"},{"state":"Oyo"}]"#,
        false
    )]
    fn a_scope_covers_what_it_shows(#[case] scope: &str, #[case] other: &str, #[case] does: bool) {
        let (scope, other) = (read(scope).unwrap(), read(other).unwrap());
        assert_eq!(scope.covers(&other), does);
    }
}
