//! A statement with the values of its parameters, ready to be sent.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// A statement for ClickHouse. What came from outside stands in its parameters, which the server puts in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The statement, with places such as `{from:DateTime64(3, 'UTC')}`.
    pub sql: String,
    /// The values of its places.
    pub parameters: Vec<(String, Value)>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A time with milliseconds, for a `DateTime64(3, 'UTC')` place.
    Time(DateTime<Utc>),
    /// A number.
    Number(u64),
    /// A list of numbers, for an `Array(UInt64)` place.
    Numbers(Vec<u64>),
    /// A list of texts, for an `Array(String)` place.
    Texts(Vec<String>),
    /// A list of ids, for an `Array(UUID)` place.
    Ids(Vec<Uuid>),
}

impl Serialize for Value {
    /// As the client of ClickHouse takes the value of a parameter.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Time(time) => serializer.collect_str(&time.format("%Y-%m-%d %H:%M:%S%.3f")),
            Self::Number(number) => number.serialize(serializer),
            Self::Numbers(numbers) => numbers.serialize(serializer),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Ids(ids) => ids.serialize(serializer),
        }
    }
}

/// Gathers the parameters of a statement while its text is put together.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, Value)>);

impl Parameters {
    /// Binds a text and returns its place.
    pub(crate) fn text(&mut self, name: &'static str, value: &str) -> String {
        self.bind(name, "String", Value::Text(value.to_owned()))
    }

    /// Binds a time and returns its place.
    pub(crate) fn time(&mut self, name: &'static str, value: DateTime<Utc>) -> String {
        self.bind(name, "DateTime64(3, 'UTC')", Value::Time(value))
    }

    /// Binds a number and returns its place.
    pub(crate) fn number(&mut self, name: &'static str, value: u64) -> String {
        self.bind(name, "UInt64", Value::Number(value))
    }

    /// Binds a time in milliseconds since 1970 and returns its place.
    pub(crate) fn milliseconds(&mut self, name: &'static str, value: DateTime<Utc>) -> String {
        let milliseconds = u64::try_from(value.timestamp_millis()).unwrap_or_default();
        self.number(name, milliseconds)
    }

    /// Binds a UTC day, in days since 1970, and returns its place.
    pub(crate) fn day(&mut self, name: &'static str, value: i64) -> String {
        let day = DateTime::from_timestamp(value.saturating_mul(86_400), 0).unwrap_or_default();
        let text = day.format("%Y-%m-%d").to_string();
        self.bind(name, "Date", Value::Text(text))
    }

    /// Binds up to 128 bits and returns their place.
    pub(crate) fn bits(&mut self, name: &'static str, value: u128) -> String {
        self.bind(name, "UInt128", Value::Text(value.to_string()))
    }

    /// Binds a list of numbers and returns its place.
    pub(crate) fn numbers(&mut self, name: &'static str, value: Vec<u64>) -> String {
        self.bind(name, "Array(UInt64)", Value::Numbers(value))
    }

    /// Binds a list of texts and returns its place.
    pub(crate) fn texts(&mut self, name: &'static str, value: Vec<String>) -> String {
        self.bind(name, "Array(String)", Value::Texts(value))
    }

    /// Binds an id and returns its place.
    pub(crate) fn id(&mut self, name: &'static str, value: Uuid) -> String {
        self.bind(name, "UUID", Value::Text(value.to_string()))
    }

    /// Binds a list of ids and returns its place.
    pub(crate) fn ids(&mut self, name: &'static str, value: &[Uuid]) -> String {
        self.bind(name, "Array(UUID)", Value::Ids(value.to_vec()))
    }

    /// The statement with the parameters gathered so far.
    pub(crate) fn into_query(self, sql: String) -> Query {
        Query {
            sql,
            parameters: self.0,
        }
    }

    /// The place of a value: under its name, or, where another value has that name, under the name with a number.
    fn bind(&mut self, name: &'static str, kind: &str, value: Value) -> String {
        let mut own = name.to_owned();
        let mut number = 1;
        while let Some((_, known)) = self.0.iter().find(|(known, _)| *known == own) {
            if *known == value {
                return format!("{{{own}:{kind}}}");
            }
            number += 1;
            own = format!("{name}_{number}");
        }
        let place = format!("{{{own}:{kind}}}");
        self.0.push((own, value));
        place
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The statement and its parameters as a snapshot shows them.
    pub(crate) fn shown(query: &Query) -> String {
        let mut text = query.sql.clone();
        for (name, value) in &query.parameters {
            let value = match value {
                Value::Text(text) => format!("{text:?}"),
                Value::Time(time) => time.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
                Value::Number(number) => number.to_string(),
                Value::Numbers(numbers) => format!("{numbers:?}"),
                Value::Texts(texts) => format!("{texts:?}"),
                Value::Ids(ids) => format!("{ids:?}"),
            };
            text.push_str(&format!("\n-- {name} = {value}"));
        }
        text
    }

    #[test]
    fn a_name_that_is_bound_twice_stands_once() {
        let mut parameters = Parameters::default();
        let first = parameters.text("state", "Lagos");
        let second = parameters.text("state", "Lagos");
        let query = parameters.into_query(format!("SELECT {first}, {second}"));
        assert_eq!(query.sql, "SELECT {state:String}, {state:String}");
        assert_eq!(
            query.parameters,
            [("state".to_owned(), Value::Text("Lagos".to_owned()))]
        );
    }

    #[test]
    fn another_value_of_a_name_has_a_place_of_its_own() {
        let mut parameters = Parameters::default();
        let places =
            ["Lagos", "Kano", "Lagos", "Kano"].map(|state| parameters.text("state", state));
        assert_eq!(
            places,
            [
                "{state:String}",
                "{state_2:String}",
                "{state:String}",
                "{state_2:String}"
            ]
        );
        let query = parameters.into_query(String::new());
        assert_eq!(
            query.parameters,
            [
                ("state".to_owned(), Value::Text("Lagos".to_owned())),
                ("state_2".to_owned(), Value::Text("Kano".to_owned()))
            ]
        );
    }
}
