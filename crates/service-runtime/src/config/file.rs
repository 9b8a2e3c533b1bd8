use std::{fs, path::Path};

use serde_json::{Number, Value};

use super::{
    ConfigError, Problem,
    catalogue::{Catalogue, Setting},
    layer::{Layer, Origin},
    suggest,
};

/// Reads the settings out of a TOML file.
pub(super) fn read(catalogue: &Catalogue, path: &Path) -> Result<Layer, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::ReadFile {
        path: path.to_owned(),
        source,
    })?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| ConfigError::ParseFile {
        path: path.to_owned(),
        line: line_of(&text, &error),
        message: error.message().to_owned(),
    })?;
    let mut walk = Walk {
        catalogue,
        file: path,
        layer: Layer::default(),
    };
    walk.table(&mut Vec::new(), table);
    Ok(walk.layer)
}

struct Walk<'a> {
    catalogue: &'a Catalogue,
    file: &'a Path,
    layer: Layer,
}

impl Walk<'_> {
    fn table(&mut self, path: &mut Vec<String>, table: toml::Table) {
        for (key, value) in table {
            path.push(key);
            self.entry(path, value);
            path.pop();
        }
    }

    fn entry(&mut self, path: &mut Vec<String>, value: toml::Value) {
        let catalogue = self.catalogue;
        if let Some(setting) = catalogue
            .settings
            .iter()
            .find(|setting| setting.path == *path)
        {
            return self.setting(setting, value);
        }
        let is_section = catalogue
            .sections
            .iter()
            .any(|section| section.path == *path);
        match (is_section, value) {
            (true, toml::Value::Table(table)) => self.table(path, table),
            (true, _) => self.problem(path, "is a section, write it as a table".to_owned()),
            (false, _) => {
                let keys: Vec<String> = catalogue.settings.iter().map(Setting::key).collect();
                let nearest =
                    suggest::nearest(&path.join("."), keys.iter().map(String::as_str), "");
                self.problem(path, suggest::unknown("key", nearest));
            }
        }
    }

    fn setting(&mut self, setting: &Setting, value: toml::Value) {
        let checked = json(value).and_then(|value| setting.kind.check(&value).map(|()| value));
        match checked {
            Ok(value) => self
                .layer
                .put(setting, value, Origin::File(self.file.to_owned())),
            Err(message) => self.problem(&setting.path, message),
        }
    }

    fn problem(&mut self, path: &[String], message: String) {
        let place = format!("{} in {}", path.join("."), self.file.display());
        self.layer.problems.push(Problem::new(place, message));
    }
}

/// The error of the parser names a position; its own text would quote the line, secrets included.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start);
    text.bytes()
        .take(start)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

fn json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => {
            let number = Number::from_f64(number);
            Value::Number(number.ok_or("a number must be finite")?)
        }
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => {
            Value::Array(items.into_iter().map(json).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let entries = table
                .into_iter()
                .map(|(key, value)| Ok((key, json(value)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}
