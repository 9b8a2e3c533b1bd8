//! Where: which facts a filter by state and city lets through.
//!
//! The aggregates hold two families of rows. Those of scope `total` have no region; those of scope `region`
//! hold a fact once its region is known. What is `unknown` is in no row of its own: it is the total less what
//! lies in known regions, so that regions always add up to the total, settled or not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared_schema::{
    Region,
    access::{Place, Scope},
};

use crate::query::Parameters;

/// What a state or city is called that is not known.
pub(crate) const UNKNOWN: &str = "unknown";

/// That the region of a fact is settled.
const SETTLED: &str = "state != ''";

/// Which regions count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegionFilter {
    /// All of them.
    #[default]
    Everywhere,
    /// All of them, of what has been settled.
    Settled,
    /// A state, a city in it, or all cities of a name.
    Within {
        /// The state's name.
        state: Option<String>,
        /// The city's name.
        city: Option<String>,
    },
    /// What lies in no known state, or in no known city.
    Remainder(Unknown),
    /// No fact: a known city in an unknown state.
    Nowhere,
}

/// Which part of a region is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unknown {
    /// The state, and so the city.
    State,
    /// The city, whatever the state.
    City,
}

/// The name of a parameter's region is not in the table of states and cities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRegion {
    /// There is no such state.
    #[error("there is no such state")]
    State,
    /// There is no such city, or not in the state.
    #[error("there is no such city{}", .state.as_ref().map(|state| format!(" in {state}")).unwrap_or_default())]
    City {
        /// The state in which it was looked for.
        state: Option<String>,
    },
}

/// Nothing that is asked for lies in the caller's regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not lie in the caller's regions")]
pub struct OutOfScope;

impl RegionFilter {
    /// The filter of two names, read with the same aliases as the events; `unknown` is a name like any other.
    ///
    /// # Errors
    /// When a name is not in the table.
    pub fn parse(state: Option<&str>, city: Option<&str>) -> Result<Self, UnknownRegion> {
        match (state, city) {
            (None, None) => Ok(Self::Everywhere),
            (Some(state), None | Some(UNKNOWN)) if state == UNKNOWN => {
                Ok(Self::Remainder(Unknown::State))
            }
            (Some(UNKNOWN), Some(city)) => any_city(city).map(|_| Self::Nowhere),
            (Some(state), city) => within_state(state, city),
            (None, Some(UNKNOWN)) => Ok(Self::Remainder(Unknown::City)),
            (None, Some(city)) => any_city(city),
        }
    }

    /// The same for a caller who sees the regions of a scope only. The statements of such a caller read what has been
    /// settled there, and nothing else: a city that is not known is one of its cities.
    ///
    /// # Errors
    /// When none of it lies in the scope.
    pub fn seen_by(self, scope: &Scope) -> Result<Self, OutOfScope> {
        let Scope::Within(places) = scope else {
            return Ok(self);
        };
        let seen = match self {
            Self::Everywhere => Self::Settled,
            Self::Remainder(Unknown::City) => Self::Within {
                state: None,
                city: Some(UNKNOWN.to_owned()),
            },
            other => other,
        };
        let is_seen = match &seen {
            Self::Everywhere | Self::Settled => true,
            Self::Within { state, city } => places
                .iter()
                .any(|place| lies_in(place, state.as_deref(), city.as_deref())),
            Self::Remainder(_) | Self::Nowhere => false,
        };
        is_seen.then_some(seen).ok_or(OutOfScope)
    }

    /// Whether anything is asked of a region at all.
    #[must_use]
    pub fn is_regional(&self) -> bool {
        *self != Self::Everywhere
    }
}

fn within_state(state: &str, city: Option<&str>) -> Result<RegionFilter, UnknownRegion> {
    let region = Region::from_names(Some(state), city.filter(|city| *city != UNKNOWN));
    if region.state == UNKNOWN {
        return Err(UnknownRegion::State);
    }
    let state = Some(region.state.to_owned());
    match city {
        Some(city) if city != UNKNOWN && region.city == UNKNOWN => {
            Err(UnknownRegion::City { state })
        }
        _ => Ok(RegionFilter::Within {
            state,
            city: city.map(|_| region.city.to_owned()),
        }),
    }
}

/// Whether any of the cities of this name (all without one), of this state (any without one), lies in a place.
fn lies_in(place: &Place, state: Option<&str>, city: Option<&str>) -> bool {
    let is_there = |city: &str| {
        city == UNKNOWN || Region::from_names(Some(&place.state), Some(city)).city == city
    };
    state.is_none_or(|state| state == place.state)
        && city.is_none_or(|city| match &place.city {
            Some(seen) => seen == city,
            None => is_there(city),
        })
}

/// A city of any state. Where one state has it, the state is named too, which finds its rows faster.
fn any_city(city: &str) -> Result<RegionFilter, UnknownRegion> {
    let found: BTreeSet<(&str, &str)> = Region::states()
        .map(|state| Region::from_names(Some(state), Some(city)))
        .filter(|region| region.city != UNKNOWN)
        .map(|region| (region.city, region.state))
        .collect();
    let (name, state) = found.first().ok_or(UnknownRegion::City { state: None })?;
    Ok(RegionFilter::Within {
        state: (found.len() == 1).then(|| (*state).to_owned()),
        city: Some((*name).to_owned()),
    })
}

impl Unknown {
    const fn column(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::City => "city",
        }
    }
}

/// The conditions on `scope`, `state` and `city` that a filter makes, and the sign that it gives to rows.
impl RegionFilter {
    /// The rows of an aggregate that are needed.
    pub(crate) fn stored(&self, parameters: &mut Parameters) -> String {
        match self {
            Self::Everywhere => "scope = 'total'".to_owned(),
            Self::Settled => "scope = 'region'".to_owned(),
            Self::Within { .. } => format!("scope = 'region' AND {}", self.named(parameters)),
            Self::Remainder(unknown) => {
                format!("(scope = 'total' OR {} != 'unknown')", unknown.column())
            }
            Self::Nowhere => "false".to_owned(),
        }
    }

    /// The rows of an aggregate that has one row for each thing and scope: those that tell of the things, which are of
    /// scope `total`, and those that tell where they lie; and the condition on all rows of a thing that it lies there.
    /// The events of a thing are not settled all at once: what became of it, only the total knows for certain.
    pub(crate) fn things(&self, parameters: &mut Parameters) -> (String, &'static str) {
        let rows = self.stored(parameters);
        match self {
            Self::Everywhere | Self::Nowhere => (rows, "true"),
            Self::Settled | Self::Within { .. } => (
                format!("(scope = 'total' OR {rows})"),
                "max(scope = 'region') = 1",
            ),
            Self::Remainder(_) => (rows, "max(scope = 'region') = 0"),
        }
    }

    /// Whether such a row is to be added (1) or taken away (-1).
    pub(crate) fn stored_sign(&self) -> &'static str {
        match self {
            Self::Remainder(_) => "toInt8(if(scope = 'total', 1, -1))",
            _ => "toInt8(1)",
        }
    }

    /// The rows of scope `region` that lie in the filter's regions.
    pub(crate) fn settled(&self, parameters: &mut Parameters) -> String {
        match self {
            Self::Everywhere => "scope = 'region'".to_owned(),
            Self::Remainder(unknown) => {
                format!("scope = 'region' AND {} = 'unknown'", unknown.column())
            }
            _ => self.stored(parameters),
        }
    }

    /// The facts, with `state` and `city` empty where they are not settled, that are needed.
    pub(crate) fn facts(&self, parameters: &mut Parameters) -> String {
        match self {
            Self::Everywhere | Self::Remainder(_) => "true".to_owned(),
            Self::Settled => SETTLED.to_owned(),
            Self::Within { .. } => self.named(parameters),
            Self::Nowhere => "false".to_owned(),
        }
    }

    /// How such a fact counts: a fact in a known region is added to the total and taken away again.
    pub(crate) fn fact_sign(&self) -> String {
        match self {
            Self::Remainder(unknown) => format!(
                "arrayJoin(if({} IN ('', 'unknown'), [toInt8(1)], [toInt8(1), toInt8(-1)]))",
                unknown.column()
            ),
            _ => "toInt8(1)".to_owned(),
        }
    }

    /// The regions, in the columns `state` and `city` of something whose region is always settled.
    pub(crate) fn own(&self, parameters: &mut Parameters) -> String {
        match self {
            Self::Everywhere => "true".to_owned(),
            Self::Settled => SETTLED.to_owned(),
            Self::Within { .. } => self.named(parameters),
            Self::Remainder(unknown) => format!("{} IN ('', 'unknown')", unknown.column()),
            Self::Nowhere => "false".to_owned(),
        }
    }

    /// That a region, in the same columns, is known, where it is not to be.
    pub(crate) fn known(&self) -> Option<String> {
        match self {
            Self::Remainder(unknown) => {
                Some(format!("{} NOT IN ('', 'unknown')", unknown.column()))
            }
            _ => None,
        }
    }

    /// The names that are asked for.
    fn named(&self, parameters: &mut Parameters) -> String {
        let Self::Within { state, city } = self else {
            return "true".to_owned();
        };
        let mut conditions = Vec::new();
        if let Some(state) = state {
            conditions.push(format!("state = {}", parameters.text("state", state)));
        }
        if let Some(city) = city {
            conditions.push(format!("city = {}", parameters.text("city", city)));
        }
        conditions.join(" AND ")
    }
}

#[cfg(test)]
mod tests;
