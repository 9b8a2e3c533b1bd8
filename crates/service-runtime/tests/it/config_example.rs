use insta::assert_snapshot;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{Document, Loader, Settings, example};

use crate::fixture::{Batch, Config};

/// Another service with the same section and another default.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Sharing {
    batch: Batch,
    /// Rows that wait at most.
    backlog: u64,
}

impl Default for Sharing {
    fn default() -> Self {
        let batch = Batch {
            max_rows: 7,
            ..Batch::default()
        };
        Self { batch, backlog: 3 }
    }
}

impl Settings for Sharing {}

/// Another meaning under a name that is taken.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Conflicting {
    /// Number of the place.
    place: u8,
}

impl Settings for Conflicting {}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Undocumented {
    silent: bool,
}

impl Settings for Undocumented {}

fn both() -> [Document; 2] {
    [
        Document::of::<Config>("first-service").unwrap(),
        Document::of::<Sharing>("second-service").unwrap(),
    ]
}

#[test]
fn the_example_documents_every_setting_of_all_services_once() {
    assert_snapshot!(example(&both()).unwrap());
}

/// Takes the comment sign off every setting, as somebody does who wants to change it.
#[test]
fn the_example_with_every_line_in_effect_is_the_default_configuration() {
    let text = example(&[Document::of::<Sharing>("only").unwrap()]).unwrap();
    let mut loader = Loader::default();
    let mut count = 0;
    for line in text
        .lines()
        .filter_map(|line| line.strip_prefix("# OPENRIDE_"))
    {
        let (name, value) = line.split_once('=').unwrap();
        loader = loader.with_variable(format!("OPENRIDE_{name}"), value.trim_matches('\''));
        count += 1;
    }
    assert_eq!(count, 8, "{text}");
    let config = loader.load::<Sharing>().unwrap().config;
    let default = Sharing::default();
    assert_eq!(
        serde_json::to_value(config).unwrap(),
        serde_json::to_value(default).unwrap()
    );
}

#[test]
fn a_name_with_two_meanings_is_an_error() {
    let documents = [
        Document::of::<Config>("first").unwrap(),
        Document::of::<Conflicting>("second").unwrap(),
    ];
    let error = example(&documents).unwrap_err().to_string();
    assert!(
        error.contains("OPENRIDE_PLACE means one thing to first and another to second"),
        "{error}"
    );
}

#[test]
fn a_setting_without_a_description_is_an_error() {
    let error = example(&[Document::of::<Undocumented>("quiet").unwrap()]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("OPENRIDE_SILENT of quiet is not documented"),
        "{error}"
    );
}
