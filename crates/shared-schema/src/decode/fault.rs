//! From an error of the JSON library to a reason and a path.
//!
//! The library's errors are text. Ours begin with a reason code ([`Fault`](crate::Fault)), serde's with
//! one of a few fixed phrases. Values of the record stand behind those beginnings and are left out.

use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::{ReasonCode, Rejection};

/// A text that is not JSON at all.
pub(super) fn syntax(error: &serde_json::Error) -> Rejection {
    Rejection::at("$", ReasonCode::InvalidJson, error.to_string())
}

/// A value that is not what its field asks for.
pub(super) fn at(error: &serde_json::Error, path: &Path) -> Rejection {
    let text = error.to_string();
    let message = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message);
    if let Some(name) = named_field(message, "missing field `") {
        return Rejection::at(
            member(path, name),
            ReasonCode::MissingField,
            "expected a value",
        );
    }
    if let Some(name) = named_field(message, "duplicate field `") {
        return Rejection::at(member(path, name), ReasonCode::InvalidJson, "given twice");
    }
    let (reason, detail) = reason_and_detail(message, error.classify());
    Rejection::at(json_path(path), reason, detail)
}

fn reason_and_detail(message: &str, category: Category) -> (ReasonCode, String) {
    if message.starts_with("number out of range") {
        return (
            ReasonCode::OutOfRange,
            "expected a number within a double's range".to_owned(),
        );
    }
    if category != Category::Data {
        return (ReasonCode::InvalidJson, message.to_owned());
    }
    if let Some((code, detail)) = message.split_once(": ")
        && let Some(reason) = ReasonCode::parse(code)
    {
        return (reason, detail.to_owned());
    }
    let expected = message
        .rsplit_once(", expected ")
        .map_or("a value of another type", |(_, e)| e);
    (ReasonCode::WrongType, format!("expected {expected}"))
}

fn named_field<'m>(message: &'m str, beginning: &str) -> Option<&'m str> {
    message.strip_prefix(beginning)?.strip_suffix('`')
}

fn member(path: &Path, name: &str) -> String {
    format!("{}.{name}", json_path(path))
}

fn json_path(path: &Path) -> String {
    path.iter()
        .fold("$".to_owned(), |path, segment| match segment {
            Segment::Seq { index } => format!("{path}[{index}]"),
            Segment::Map { key } => format!("{path}.{key}"),
            Segment::Enum { .. } | Segment::Unknown => path,
        })
}
