//! Counts that can be opened, in the answers that show them.

use serde_json::{Map, Value};

/// A count that an answer shows, and what opens it.
pub(crate) struct Opened {
    pub(crate) answer: String,
    pub(crate) name: String,
    pub(crate) shown: u64,
    pub(crate) cell: String,
}

/// The counts of an answer that can be opened.
pub(crate) fn gather(answer: &str, value: &Value, opened: &mut Vec<Opened>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| gather(answer, value, opened)),
        Value::Object(fields) => {
            let cells = fields.get("cells").and_then(Value::as_object);
            for (name, cell) in cells.into_iter().flatten() {
                opened.push(Opened {
                    answer: answer.to_owned(),
                    name: name.clone(),
                    shown: fields
                        .get(name)
                        .unwrap_or(&value["retained_by_period"][name])
                        .as_u64()
                        .unwrap(),
                    cell: cell.as_str().unwrap().to_owned(),
                });
            }
            fields
                .values()
                .for_each(|value| gather(answer, value, opened));
        }
        _ => {}
    }
}

/// The same answer without what opens its counts.
pub(crate) fn closed(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(closed).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "cells");
            let fields: Map<String, Value> = fields
                .map(|(name, value)| (name.clone(), closed(value)))
                .collect();
            Value::Object(fields)
        }
        value => value.clone(),
    }
}
