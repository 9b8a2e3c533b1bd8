//! The JSON Schemas that are checked in.

use shared_schema::{EventType, schema_of};

use crate::samples::{fixture, stored_schema};

#[test]
fn the_schemas_are_those_of_the_code() {
    for &kind in EventType::ALL {
        assert_eq!(
            &stored_schema(kind),
            schema_of(kind).as_value(),
            "{kind}: run `cargo run -p shared-schema --example write-schemas`"
        );
    }
}

#[test]
fn every_schema_is_valid_and_so_is_its_example() {
    for &kind in EventType::ALL {
        let validator = jsonschema::draft202012::new(&stored_schema(kind)).unwrap();
        let example = serde_json::from_slice(&fixture(kind)).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&example)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{kind}: {errors:?}");
    }
}

#[test]
fn a_schema_refuses_the_examples_of_the_other_types() {
    for &kind in EventType::ALL {
        let validator = jsonschema::draft202012::new(&stored_schema(kind)).unwrap();
        for &other in EventType::ALL.iter().filter(|other| **other != kind) {
            let example = serde_json::from_slice(&fixture(other)).unwrap();
            assert!(!validator.is_valid(&example), "{kind} takes {other}");
        }
    }
}
