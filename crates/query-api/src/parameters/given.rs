use std::ops::RangeInclusive;

use actix_web::web::Query;
use serde::de::{DeserializeOwned, IntoDeserializer};
use utoipa::{
    IntoParams, Number, PartialSchema,
    openapi::{RefOr, Schema},
};

use super::{CellsParameters, Fault, ParameterError, RangeParameters, RegionParameters};

/// The parameters that a request gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(Vec<(String, String)>);

/// How alike two names must be (1 is equal) for one to be offered in the place of the other.
const ALIKE: f64 = 0.5;

impl Given {
    /// Reads a query string in which only these names may stand, each once.
    pub(crate) fn read(query: &str, allowed: &[Parameter]) -> Result<Self, ParameterError> {
        let pairs = Query::<Vec<(String, String)>>::from_query(query).map_err(|_| {
            ParameterError::new(
                "query",
                Fault::Unreadable,
                "it is no query string",
                listed(allowed),
            )
        })?;
        let mut given = Self::default();
        for (name, value) in pairs.into_inner() {
            if !allowed.iter().any(|known| known.name == name) {
                let near = nearest(&name, allowed.iter().map(|known| known.name.as_str()));
                let why = near.map_or("there is no such parameter".to_owned(), |near| {
                    format!("there is no such parameter; did you mean {near}?")
                });
                return Err(ParameterError::new(
                    &name,
                    Fault::Unknown,
                    why,
                    listed(allowed),
                ));
            }
            if given.get(&name).is_some() {
                return Err(ParameterError::new(
                    &name,
                    Fault::Repeated,
                    "it is given twice",
                    "Give it once.",
                ));
            }
            given.0.push((name, value));
        }
        Ok(given)
    }

    /// The text of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// The parameter read as what it should be; `allowed` says what that is.
    pub(crate) fn parsed<T>(&self, name: &str, allowed: &str) -> Result<Option<T>, ParameterError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let parse = |text: &str| {
            text.parse().map_err(|error: T::Err| {
                ParameterError::new(name, Fault::Unreadable, error.to_string(), allowed)
            })
        };
        self.get(name).map(parse).transpose()
    }

    /// The parameter as whether something is wanted; it is not if nothing is said.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ParameterError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ParameterError::new(
                name,
                Fault::Unreadable,
                "it is neither true nor false",
                "Allowed are true and false.",
            )),
        }
    }

    /// The parameter as one of a few names, those of its schema.
    pub(crate) fn one_of<T>(&self, name: &str) -> Result<Option<T>, ParameterError>
    where
        T: DeserializeOwned + PartialSchema,
    {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let value =
            T::deserialize(IntoDeserializer::<serde::de::value::Error>::into_deserializer(text));
        let value = value.map_err(|_| {
            let allowed = values::<T>();
            let near = nearest(text, allowed.iter().map(String::as_str));
            let why = near.map_or("there is no such value".to_owned(), |near| {
                format!("there is no such value; did you mean {near}?")
            });
            let allowed = format!("Allowed are {}.", allowed.join(", "));
            ParameterError::new(name, Fault::Unreadable, why, allowed)
        })?;
        Ok(Some(value))
    }
}

/// The names that the schema of an enumeration has.
fn values<T: PartialSchema>() -> Vec<String> {
    let RefOr::T(Schema::Object(object)) = T::schema() else {
        return Vec::new();
    };
    let values = object.enum_values.into_iter().flatten();
    values
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// A documented parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// What it is when it is not given.
    pub(crate) default: Option<String>,
    /// What a whole number may be.
    pub(crate) allowed: RangeInclusive<u64>,
}

/// The documented parameters.
pub(crate) fn documented<P: IntoParams>() -> Vec<Parameter> {
    let documented = P::into_params(|| None).into_iter();
    documented
        .map(|parameter| Parameter {
            name: parameter.name,
            default: parameter.schema.as_ref().and_then(default_of),
            allowed: parameter.schema.as_ref().map_or(0..=u64::MAX, allowed_by),
        })
        .collect()
}

/// The parameters of an answer whose counts can be opened: range, region, its own, and whether they are.
pub(crate) fn opened<P: IntoParams>() -> Vec<Parameter> {
    [
        documented::<RangeParameters>(),
        documented::<RegionParameters>(),
        documented::<P>(),
        documented::<CellsParameters>(),
    ]
    .concat()
}

/// The whole numbers that a schema allows.
fn allowed_by(schema: &RefOr<Schema>) -> RangeInclusive<u64> {
    let RefOr::T(Schema::Object(object)) = schema else {
        return 0..=u64::MAX;
    };
    let whole = |bound: &Option<Number>| match bound {
        Some(Number::Int(bound)) => u64::try_from(*bound).ok(),
        Some(Number::UInt(bound)) => u64::try_from(*bound).ok(),
        _ => None,
    };
    let (least, most) = (whole(&object.minimum), whole(&object.maximum));
    least.unwrap_or(0)..=most.unwrap_or(u64::MAX)
}

/// The default that a schema names, or the reference to one.
fn default_of(schema: &RefOr<Schema>) -> Option<String> {
    let default = match schema {
        RefOr::T(Schema::Object(object)) => object.default.as_ref()?,
        RefOr::Ref(reference) => reference.default.as_ref()?,
        RefOr::T(_) => return None,
    };
    Some(
        default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned),
    )
}

fn listed(allowed: &[Parameter]) -> String {
    let names: Vec<&str> = allowed.iter().map(|known| known.name.as_str()).collect();
    match names.as_slice() {
        [] => "It takes no parameters.".to_owned(),
        names => format!("Allowed are {}.", names.join(", ")),
    }
}

/// The known name most like an unknown one, if any is like it.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Likeness takes time that grows with both lengths.
    let name: String = name.chars().take(40).collect::<String>().to_lowercase();
    known
        .map(|known| {
            (
                strsim::normalized_damerau_levenshtein(&name, &known.to_lowercase()),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Given, ParameterError> {
        let known = ["start_date", "tz"].map(|name| Parameter {
            name: name.to_owned(),
            default: None,
            allowed: 0..=u64::MAX,
        });
        Given::read(query, &known)
    }

    #[test]
    fn values_are_decoded() {
        let given = read("tz=Africa%2FLagos&start_date=2024-01-01T00:00:00%2B01:00").unwrap();
        assert_eq!(given.get("tz"), Some("Africa/Lagos"));
        assert_eq!(given.get("start_date"), Some("2024-01-01T00:00:00+01:00"));
        assert_eq!(read("").unwrap().get("tz"), None);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let error = read("startdate=2024-01-01").unwrap_err();
        assert_eq!(error.fault, Fault::Unknown);
        assert_eq!(
            error.to_string(),
            "startdate: there is no such parameter; did you mean start_date?"
        );
        assert_eq!(error.allowed, "Allowed are start_date, tz.");
        let error = read(&format!("{}=1", "x".repeat(1_000_000))).unwrap_err();
        assert_eq!(error.name.len(), 100);
    }

    #[test]
    fn a_name_may_stand_once() {
        assert_eq!(read("tz=a&tz=b").unwrap_err().fault, Fault::Repeated);
    }
}
