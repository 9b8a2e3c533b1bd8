//! `.env.example` is generated from the configuration types of all services and kept in step with them.
//! It also is what a service goes by to tell a setting of another service from a typo.

use std::{env, fs, path::Path};

use service_runtime::config::{ConfigError, Document, example, published};

/// Rewrites the file instead of comparing it.
const UPDATE: &str = "OPENRIDE_TEST_UPDATE";

/// Every program with a configuration of its own; a new one is added here. Where several share a section,
/// the first one describes it.
fn documents() -> Result<Vec<Document>, ConfigError> {
    Ok(vec![
        Document::of::<ingestor::Config>("ingestor")?,
        Document::of::<migrate::Config>("migrate")?,
        Document::of::<query_api::Config>("query-api")?,
        Document::of::<verify::Config>("openride-verify")?,
    ])
}

#[test]
fn the_published_settings_are_those_of_the_code() {
    let settings = example(&documents().unwrap()).unwrap();
    if env::var_os(UPDATE).is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.example");
        fs::write(file, &settings).unwrap();
        return;
    }
    let first_difference = settings
        .lines()
        .zip(published().lines())
        .find(|(code, file)| code != file);
    assert!(
        settings == published(),
        "`.env.example` is out of date; {UPDATE}=1 rewrites it. First difference: {first_difference:?}"
    );
}
