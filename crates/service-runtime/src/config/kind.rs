use std::fmt;

use serde_json::{Map, Number, Value};

use super::format::Format;

/// What values a setting takes, as far as its JSON schema says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Boolean,
    Integer {
        min: Option<i128>,
        max: Option<i128>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    Text {
        format: Format,
        min_length: u64,
    },
    Choice(Vec<String>),
    List {
        item: Box<Kind>,
        min_items: u64,
    },
    /// Tables and other structured values; in the environment they are written as JSON.
    Structure,
}

impl Kind {
    pub(super) fn of(schema: &Map<String, Value>) -> Self {
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64).unwrap_or(0);
        if let Some(choices) = choices(schema) {
            return Self::Choice(choices);
        }
        match type_name(schema) {
            Some("boolean") => Self::Boolean,
            Some("integer") => Self::Integer {
                min: schema.get("minimum").and_then(whole),
                max: schema.get("maximum").and_then(whole),
            },
            Some("number") => Self::Number {
                min: schema.get("minimum").and_then(Value::as_f64),
                max: schema.get("maximum").and_then(Value::as_f64),
            },
            Some("string") => Self::Text {
                format: Format::of(schema),
                min_length: limit("minLength"),
            },
            Some("array") => match schema.get("items").and_then(Value::as_object).map(Self::of) {
                None | Some(Self::Structure | Self::List { .. }) => Self::Structure,
                Some(item) => Self::List {
                    item: Box::new(item),
                    min_items: limit("minItems"),
                },
            },
            _ => Self::Structure,
        }
    }

    /// The value that a text of the environment means, checked.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        let refused = || format!("`{text}` is not {self}");
        let value = match self {
            Self::Boolean => Value::Bool(text.parse().map_err(|_| refused())?),
            Self::Integer { .. } => Value::Number(integer(text).ok_or_else(refused)?),
            Self::Number { .. } => {
                let number = text.parse().ok().and_then(Number::from_f64);
                Value::Number(number.ok_or_else(refused)?)
            }
            Self::Text { .. } | Self::Choice(_) => Value::String(text.to_owned()),
            Self::List { item, .. } => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                Value::Array(
                    items
                        .map(|text| item.parse(text))
                        .collect::<Result<_, _>>()?,
                )
            }
            Self::Structure => serde_json::from_str(text).map_err(|_| refused())?,
        };
        self.check(&value).map(|()| value)
    }

    /// Whether a value is one that the setting takes. Formats known only to the type of the setting
    /// (addresses, paths) show when it is deserialized.
    pub(super) fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match (self, value) {
            (Self::Boolean, Value::Bool(_)) | (Self::Structure, _) => true,
            (Self::Integer { min, max }, value) => {
                whole(value).is_some_and(|number| within(&number, min.as_ref(), max.as_ref()))
            }
            (Self::Number { min, max }, Value::Number(number)) => number
                .as_f64()
                .is_some_and(|number| within(&number, min.as_ref(), max.as_ref())),
            (Self::Text { format, min_length }, value) => format.fits(value, *min_length),
            (Self::Choice(choices), Value::String(text)) => choices.contains(text),
            (Self::List { item, min_items }, Value::Array(items)) => {
                items.iter().try_for_each(|value| item.check(value))?;
                u64::try_from(items.len()).is_ok_and(|count| count >= *min_items)
            }
            _ => false,
        };
        match fits {
            true => Ok(()),
            false if self.is_secret() => Err(format!("the value is not {self}")),
            false => Err(format!("`{}` is not {self}", shown(value))),
        }
    }

    pub(super) fn is_secret(&self) -> bool {
        match self {
            Self::Text { format, .. } => *format == Format::Secret,
            Self::List { item, .. } => item.is_secret(),
            _ => false,
        }
    }
}

/// Completes "… is not" and "allowed:".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("true or false"),
            Self::Integer { min, max } => {
                f.write_str("a whole number")?;
                range(f, min.as_ref(), max.as_ref())
            }
            Self::Number { min, max } => {
                f.write_str("a number")?;
                range(f, min.as_ref(), max.as_ref())
            }
            Self::Text {
                format,
                min_length: 0,
            } => f.write_str(format.description()),
            Self::Text {
                format,
                min_length: 1,
            } => write!(f, "{}, not empty", format.description()),
            Self::Text { format, min_length } => {
                write!(
                    f,
                    "{} of at least {min_length} characters",
                    format.description()
                )
            }
            Self::Choice(choices) => write!(f, "one of {}", choices.join(", ")),
            Self::List { item, min_items } => {
                write!(f, "a comma-separated list, each {item}")?;
                match min_items {
                    0 => Ok(()),
                    count => write!(f, "; at least {count}"),
                }
            }
            Self::Structure => f.write_str("a table (in the environment: as JSON)"),
        }
    }
}

fn type_name(schema: &Map<String, Value>) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        _ => None,
    }
}

/// The names of an enum without data, whether or not its variants are documented.
fn choices(schema: &Map<String, Value>) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names
            .iter()
            .filter(|name| !name.is_null())
            .map(text)
            .collect();
    }
    let variants = schema.get("oneOf").and_then(Value::as_array)?;
    let mut names = Vec::new();
    for variant in variants {
        match (
            variant.get("const"),
            variant.get("enum").and_then(Value::as_array),
        ) {
            (Some(name), _) => names.push(text(name)?),
            (None, Some(several)) => {
                names.extend(several.iter().map(text).collect::<Option<Vec<_>>>()?);
            }
            (None, None) => return None,
        }
    }
    Some(names)
}

fn integer(text: &str) -> Option<Number> {
    let digits = text.replace('_', "");
    let signed = || digits.parse::<i64>().map(Number::from);
    digits
        .parse::<u64>()
        .map(Number::from)
        .or_else(|_| signed())
        .ok()
}

fn whole(value: &Value) -> Option<i128> {
    let signed = || value.as_i64().map(i128::from);
    value.as_u64().map(i128::from).or_else(signed)
}

fn within<N: PartialOrd>(number: &N, min: Option<&N>, max: Option<&N>) -> bool {
    min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
}

fn range<N: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    min: Option<&N>,
    max: Option<&N>,
) -> fmt::Result {
    match (min, max) {
        (Some(min), Some(max)) => write!(f, " from {min} to {max}"),
        (Some(min), None) => write!(f, " of at least {min}"),
        (None, Some(max)) => write!(f, " of at most {max}"),
        (None, None) => Ok(()),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => super::redact::without_password(text),
        other => other.to_string(),
    }
}
