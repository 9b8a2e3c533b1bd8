use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs,
};

use super::{
    FILE_VARIABLE, PREFIX, Problem,
    catalogue::{Catalogue, FILE_SUFFIX, Setting},
    layer::{Layer, Origin},
    suggest,
};

/// Variables with these beginnings configure the local stack and the tests, not the services.
const NOT_OURS: [&str; 2] = ["OPENRIDE_STACK_", "OPENRIDE_TEST_"];

/// Reads the settings out of environment variables. An empty variable counts as absent.
pub(super) fn read(
    catalogue: &Catalogue,
    variables: &BTreeMap<String, OsString>,
    known_elsewhere: &BTreeSet<String>,
) -> Layer {
    let mut layer = Layer::default();
    for setting in &catalogue.settings {
        read_setting(setting, variables, &mut layer);
    }
    for name in variables.keys().filter(|name| concerns_us(name)) {
        if is_setting(catalogue, name) {
            continue;
        }
        let direct = name.strip_suffix(FILE_SUFFIX).unwrap_or(name);
        match known_elsewhere.contains(name) || known_elsewhere.contains(direct) {
            true => layer.ignored.push(name.clone()),
            false => layer
                .problems
                .push(unknown(catalogue, known_elsewhere, name)),
        }
    }
    layer
}

fn concerns_us(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with(PREFIX)
        && name != FILE_VARIABLE
        && !NOT_OURS.iter().any(|other| name.starts_with(other))
}

fn is_setting(catalogue: &Catalogue, name: &str) -> bool {
    let mut settings = catalogue.settings.iter();
    settings.any(|setting| setting.name == name || setting.file_variable() == name)
}

fn read_setting(setting: &Setting, variables: &BTreeMap<String, OsString>, layer: &mut Layer) {
    let given = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let file_variable = setting.file_variable();
    let (name, text) = match (given(&setting.name), given(&file_variable)) {
        (None, None) => return,
        (Some(_), Some(_)) => {
            let message = format!("{file_variable} is set too; set one of the two");
            layer.problems.push(Problem::new(&setting.name, message));
            return;
        }
        (Some(text), None) => (setting.name.clone(), utf8(text)),
        (None, Some(path)) => (file_variable.clone(), mounted(path)),
    };
    match text.and_then(|text| setting.kind.parse(&text)) {
        Ok(value) => layer.put(setting, value, Origin::Environment(name)),
        Err(message) => layer.problems.push(Problem::new(name, message)),
    }
}

fn utf8(text: &OsStr) -> Result<String, String> {
    let text = text.to_str().ok_or("the value is not UTF-8")?;
    Ok(text.trim().to_owned())
}

/// The content of a mounted file without the line end that editors and `echo` leave.
fn mounted(path: &OsStr) -> Result<String, String> {
    let content = fs::read_to_string(path);
    let content =
        content.map_err(|error| format!("the file {} cannot be read: {error}", path.display()))?;
    let content = content.trim_end_matches(['\r', '\n']);
    match content.is_empty() {
        true => Err(format!("the file {} is empty", path.display())),
        false => Ok(content.to_owned()),
    }
}

fn unknown(catalogue: &Catalogue, known_elsewhere: &BTreeSet<String>, name: &str) -> Problem {
    let own = catalogue
        .settings
        .iter()
        .map(|setting| setting.name.as_str());
    let all = own.chain(known_elsewhere.iter().map(String::as_str));
    let nearest = suggest::nearest(&name.to_ascii_uppercase(), all, PREFIX);
    Problem::new(name, suggest::unknown("variable", nearest))
}
