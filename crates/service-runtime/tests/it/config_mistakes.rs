use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use rstest::rstest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{ConfigError, Loader, Settings};
use tempfile::TempDir;

use crate::fixture::Config;

fn refusal(loader: &Loader) -> String {
    loader.load::<Config>().unwrap_err().to_string()
}

fn refusal_of_file(text: &str) -> String {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("service.toml");
    std::fs::write(&path, text).unwrap();
    refusal(&Loader::default().with_file(path))
}

#[rstest]
#[case("OPENRIDE_BATCH_MAXROWS", "did you mean OPENRIDE_BATCH_MAX_ROWS?")]
#[case("OPENRIDE_BATCH_MAX_ROW", "did you mean OPENRIDE_BATCH_MAX_ROWS?")]
#[case("openride_batch_max_rows", "did you mean OPENRIDE_BATCH_MAX_ROWS?")]
#[case("OPENRIDE_STORE_PASWORD_FILE", "did you mean OPENRIDE_STORE_PASSWORD?")]
#[case("OPENRIDE_QUERY_MAX_POINT", "did you mean OPENRIDE_QUERY_MAX_POINTS?")]
#[case("OPENRIDE_ZZZ", "`config example` lists all settings")]
fn an_unknown_variable_is_refused_and_the_nearest_one_named(
    #[case] name: &str,
    #[case] expected: &str,
) {
    let loader = Loader::default()
        .with_known_elsewhere("OPENRIDE_QUERY_MAX_POINTS")
        .with_variable(name, "1");
    let refusal = refusal(&loader);
    assert!(
        refusal.contains(&format!("{name}: unknown variable; {expected}")),
        "{refusal}"
    );
}

#[rstest]
#[case(
    "[batch]\nmax_rowz = 1\n",
    "batch.max_rowz",
    "did you mean batch.max_rows?"
)]
#[case("[batsch]\nmax_rows = 1\n", "batsch", "unknown key")]
#[case("plase = 'x'\n", "plase", "did you mean place?")]
#[case("batch = 1\n", "batch", "is a section")]
#[case(
    "[batch]\nmax_rows = 'many'\n",
    "batch.max_rows",
    "`many` is not a whole number from 1 to 1000000"
)]
#[case(
    "[batch]\nmemory_share = nan\n",
    "batch.memory_share",
    "a number must be finite"
)]
#[case("[store]\nbrokers = []\n", "store.brokers", "at least 1")]
fn a_mistake_in_a_file_is_refused_with_its_key(
    #[case] text: &str,
    #[case] key: &str,
    #[case] expected: &str,
) {
    let refusal = refusal_of_file(text);
    assert!(refusal.contains(&format!("{key} in ")), "{refusal}");
    assert!(refusal.contains(expected), "{refusal}");
}

#[rstest]
#[case(
    "OPENRIDE_BATCH_MAX_ROWS",
    "12x",
    "`12x` is not a whole number from 1 to 1000000"
)]
#[case(
    "OPENRIDE_BATCH_MAX_ROWS",
    "0",
    "`0` is not a whole number from 1 to 1000000"
)]
#[case("OPENRIDE_BATCH_MAX_ROWS", "-1", "`-1` is not a whole number")]
#[case("OPENRIDE_BATCH_MAX_ROWS", "1.5", "`1.5` is not a whole number")]
#[case(
    "OPENRIDE_BATCH_MAX_ROWS",
    "99999999999999999999999",
    "is not a whole number"
)]
#[case("OPENRIDE_BATCH_MAX_BYTES", "lots", "a size in bytes such as")]
#[case("OPENRIDE_BATCH_MAX_AGE", "30", "`30` is not a duration such as 250ms")]
#[case(
    "OPENRIDE_BATCH_MEMORY_SHARE",
    "1.5",
    "`1.5` is not a number from 0 to 1"
)]
#[case("OPENRIDE_BATCH_MEMORY_SHARE", "NaN", "is not a number from 0 to 1")]
#[case("OPENRIDE_BATCH_COMPRESS", "yes", "`yes` is not true or false")]
#[case(
    "OPENRIDE_BATCH_OVERFLOW",
    "drop",
    "`drop` is not one of wait, set_aside"
)]
#[case("OPENRIDE_STORE_URL", "nonsense", "`nonsense` is not a URL")]
#[case(
    "OPENRIDE_STORE_PORTS",
    "1,70000",
    "`70000` is not a whole number from 0 to 65535"
)]
#[case("OPENRIDE_STORE_BROKERS", ",", "at least 1")]
#[case(
    "OPENRIDE_STORE_LISTEN",
    "localhost",
    "`localhost`: invalid socket address syntax"
)]
#[case("OPENRIDE_STORE_ALIASES", "{", "is not a table")]
#[case("OPENRIDE_STORE_ALIASES", "[1]", "invalid type")]
#[case(
    "OPENRIDE_STORE_PASSWORD_FILE",
    "/nonexistent/secret",
    "the file /nonexistent/secret cannot be read"
)]
fn a_malformed_value_is_refused_with_what_is_allowed(
    #[case] name: &str,
    #[case] value: &str,
    #[case] expected: &str,
) {
    let refusal = refusal(&Loader::default().with_variable(name, value));
    assert!(refusal.contains(&format!("{name}: ")), "{refusal}");
    assert!(refusal.contains(expected), "{refusal}");
}

#[test]
fn a_value_that_is_not_utf8_is_refused() {
    let value = OsString::from_vec(vec![b'a', 0xff]);
    let refusal = refusal(&Loader::default().with_variable("OPENRIDE_PLACE", value));
    assert!(
        refusal.contains("OPENRIDE_PLACE: the value is not UTF-8"),
        "{refusal}"
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let loader = Loader::default()
        .with_variable("OPENRIDE_TYPO", "1")
        .with_variable("OPENRIDE_BATCH_MAX_ROWS", "0")
        .with_variable("OPENRIDE_STORE_LISTEN", "nowhere")
        .with_variable("OPENRIDE_STORE_ALIASES", "[]");
    let ConfigError::Invalid(problems) = loader.load::<Config>().unwrap_err() else {
        panic!("another kind of error");
    };
    let settings: Vec<&str> = problems
        .iter()
        .map(|problem| problem.setting.as_str())
        .collect();
    assert_eq!(
        settings,
        [
            "OPENRIDE_BATCH_MAX_ROWS",
            "OPENRIDE_TYPO",
            "OPENRIDE_STORE_ALIASES",
            "OPENRIDE_STORE_LISTEN"
        ]
    );
}

#[test]
fn a_cross_field_check_names_the_variable() {
    let loader = Loader::default()
        .with_variable("OPENRIDE_BATCH_MAX_AGE", "2m")
        .with_variable("OPENRIDE_BATCH_COMPRESS", "false");
    let refusal = refusal(&loader);
    let expected =
        "OPENRIDE_BATCH_MAX_AGE (batch.max_age): must be at most 60s while compress is false";
    assert!(refusal.contains(expected), "{refusal}");
}

#[test]
fn a_value_and_a_mounted_file_for_the_same_setting_are_refused() {
    let loader = Loader::default()
        .with_variable("OPENRIDE_STORE_PASSWORD", "a")
        .with_variable("OPENRIDE_STORE_PASSWORD_FILE", "/run/secret");
    let refusal = refusal(&loader);
    assert!(
        refusal.contains("OPENRIDE_STORE_PASSWORD_FILE is set too"),
        "{refusal}"
    );
}

#[test]
fn a_file_that_is_not_there_or_not_toml_is_refused() {
    let refusal = refusal(&Loader::default().with_file("/nonexistent/service.toml"));
    assert!(
        refusal.contains("/nonexistent/service.toml cannot be read"),
        "{refusal}"
    );
    let refusal = refusal_of_file("place = 'x'\n[store]\npassword = hunter2\n");
    assert!(refusal.contains("is not TOML: line 3:"), "{refusal}");
    assert!(!refusal.contains("hunter2"), "{refusal}");
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Ambiguous {
    a: Inner,
    /// A setting whose variable is the same as that of `a.b_c`.
    a_b: Innermost,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Inner {
    /// One.
    b_c: u8,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Innermost {
    /// The other.
    c: u8,
}

impl Settings for Ambiguous {}

#[test]
fn a_type_in_which_two_settings_share_a_variable_cannot_be_used() {
    let error = Loader::default()
        .load::<Ambiguous>()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("OPENRIDE_A_B_C could mean a.b_c or a_b.c"),
        "{error}"
    );
}
