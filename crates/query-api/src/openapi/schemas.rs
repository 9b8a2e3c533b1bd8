use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use utoipa::{
    Modify,
    openapi::{
        OpenApi, RefOr,
        schema::{Object, Schema},
    },
};

/// Where schemas are that have a name.
const NAMED: &str = "#/components/schemas/";

/// One object of each answer that is put together from several, and no schema that only such a one was made of:
/// generators of clients lose fields of what is put together twice.
pub(super) struct Schemas;

impl Modify for Schemas {
    fn modify(&self, api: &mut OpenApi) {
        let components = api.components.get_or_insert_default();
        let apart = components.schemas.clone();
        for schema in components.schemas.values_mut() {
            if let RefOr::T(Schema::AllOf(all)) = schema {
                let mut whole = Object::new();
                whole.description = all.description.take();
                add(&mut whole, schema, &apart);
                *schema = RefOr::T(whole.into());
            }
            if let RefOr::T(Schema::Object(object)) = schema {
                object.properties.values_mut().for_each(describe);
            }
        }
        let used = used(&json!(api.paths), &json!(components.schemas));
        components.schemas.retain(|name, _| used.contains(name));
    }
}

/// Adds the fields of a part to the whole.
fn add(whole: &mut Object, part: &RefOr<Schema>, apart: &BTreeMap<String, RefOr<Schema>>) {
    match part {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.strip_prefix(NAMED);
            if let Some(part) = name.and_then(|name| apart.get(name)) {
                add(whole, part, apart);
            }
        }
        RefOr::T(Schema::AllOf(all)) => {
            // what is its own stands last, and first where it is written
            let own = all.items.last();
            let others = all.items.split_last().map_or(&[][..], |(_, others)| others);
            for part in own.into_iter().chain(others) {
                add(whole, part, apart);
            }
        }
        RefOr::T(Schema::Object(part)) => {
            let fields = part.properties.iter();
            let fields = fields.map(|(name, schema)| (name.clone(), schema.clone()));
            whole.properties.extend(fields);
            whole.required.extend(part.required.iter().cloned());
        }
        RefOr::T(_) => {}
    }
}

/// Says what a field is at the field, where it may be `null`.
fn describe(field: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(choice)) = field else {
        return;
    };
    for item in &mut choice.items {
        if let RefOr::Ref(reference) = item
            && !reference.description.is_empty()
        {
            choice.description = Some(std::mem::take(&mut reference.description));
        }
    }
}

/// The names of the schemas that paths refer to, themselves or through others.
fn used(paths: &Value, schemas: &Value) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut ahead = references(paths);
    while let Some(name) = ahead.pop() {
        if let Some(schema) = schemas.get(&name)
            && used.insert(name)
        {
            ahead.extend(references(schema));
        }
    }
    used
}

/// The names of the schemas that a part of the description refers to.
fn references(part: &Value) -> Vec<String> {
    match part {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|reference| reference.strip_prefix(NAMED));
            let below = fields.values().flat_map(references);
            own.map(str::to_owned).into_iter().chain(below).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
