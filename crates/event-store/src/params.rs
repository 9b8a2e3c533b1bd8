use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Values for the `{name:Type}` places of a statement; the server puts them in, never text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// A value as ClickHouse reads it from a request's parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(String);

impl Params {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// These values and one more. The type that the statement names decides how it is read.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push((format!("param_{name}"), value.into().0));
        self
    }

    /// These values and those.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Names as the request carries them, `param_` in front, and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

macro_rules! displayed {
    ($($value:ty),*) => { $(
        impl From<$value> for Value {
            fn from(value: $value) -> Self {
                Self(value.to_string())
            }
        }
    )* };
}

displayed!(u8, u16, u32, u64, usize, i8, i16, i32, i64, f64, bool, Uuid);

impl From<&str> for Value {
    /// Parameters are read like a field of a tab-separated file.
    fn from(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '\\' => escaped.push_str("\\\\"),
                '\t' => escaped.push_str("\\t"),
                '\n' => escaped.push_str("\\n"),
                '\r' => escaped.push_str("\\r"),
                '\0' => escaped.push_str("\\0"),
                other => escaped.push(other),
            }
        }
        Self(escaped)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<DateTime<Utc>> for Value {
    /// For a `DateTime64(3, 'UTC')` place.
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
    }
}

impl From<&[Uuid]> for Value {
    fn from(ids: &[Uuid]) -> Self {
        let ids: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
        Self(format!("[{}]", ids.join(",")))
    }
}

impl From<&[u64]> for Value {
    fn from(numbers: &[u64]) -> Self {
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        Self(format!("[{}]", numbers.join(",")))
    }
}

impl From<&[&str]> for Value {
    /// Arrays are read as in SQL: their texts are quoted, and the whole is not a field.
    fn from(texts: &[&str]) -> Self {
        let quoted: Vec<String> = texts
            .iter()
            .map(|text| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")))
            .collect();
        Self(format!("[{}]", quoted.join(",")))
    }
}
