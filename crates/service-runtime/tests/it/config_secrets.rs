use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{Document, Loader, Secret, Settings, example, redacted};

use crate::fixture::Config;

const PASSWORD: &str = "hunter2-p@ss/w0rd";

fn loaded() -> service_runtime::config::Loaded<Config> {
    Loader::default()
        .with_variable("OPENRIDE_STORE_PASSWORD", PASSWORD)
        .with_variable("OPENRIDE_STORE_URL", "http://ride:hunter2-url@store:8123/")
        .load()
        .unwrap()
}

#[test]
fn a_secret_is_in_no_form_in_which_a_configuration_is_shown() {
    let loaded = loaded();
    assert_eq!(loaded.config.store.password.expose(), PASSWORD);
    let debug = format!("{:?}", loaded.config.store.password);
    let json = serde_json::to_string(&loaded.config.store.password).unwrap();
    let shown = redacted(&loaded.config).unwrap().to_string();
    let settings = format!("{:?}", loaded.settings().unwrap());
    for text in [debug, json, shown, settings] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_redacted_configuration_still_tells_whether_a_secret_is_set_and_where_the_store_is() {
    let mut config = loaded().config;
    let shown = redacted(&config).unwrap();
    assert_eq!(shown["store"]["password"], "[redacted]");
    assert_eq!(shown["store"]["url"], "http://ride:[redacted]@store:8123/");
    config.store.password = Secret::default();
    assert_eq!(redacted(&config).unwrap()["store"]["password"], "");
}

#[test]
fn a_default_secret_is_not_published() {
    let text = example(&[Document::of::<Config>("demo").unwrap()]).unwrap();
    assert!(text.contains("# OPENRIDE_STORE_PASSWORD=\n"), "{text}");
    assert!(!text.contains("default-password"), "{text}");
}

#[test]
fn a_refused_url_is_shown_without_its_password() {
    let loader =
        Loader::default().with_variable("OPENRIDE_STORE_URL", "http://ride:hunter2@store:port/");
    let refusal = loader.load::<Config>().unwrap_err().to_string();
    assert!(
        refusal.contains("http://ride:[redacted]@store:port/"),
        "{refusal}"
    );
    assert!(!refusal.contains("hunter2"), "{refusal}");
}

/// A type that forgets to hide its secret, yet declares it.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Careless {
    /// A token that serializes as it is.
    #[schemars(extend("format" = "password"), length(min = 20))]
    token: String,
}

impl Settings for Careless {}

#[test]
fn a_setting_declared_as_a_password_is_hidden_even_if_its_type_is_a_plain_text() {
    let config = Careless {
        token: "hunter2-token".to_owned(),
    };
    assert_eq!(redacted(&config).unwrap()["token"], "[redacted]");
    let loader = Loader::default().with_variable("OPENRIDE_TOKEN", "hunter2");
    let refusal = loader.load::<Careless>().unwrap_err().to_string();
    assert!(
        refusal.contains("OPENRIDE_TOKEN: the value is not a secret text of at least 20"),
        "{refusal}"
    );
    assert!(!refusal.contains("hunter2"), "{refusal}");
}
