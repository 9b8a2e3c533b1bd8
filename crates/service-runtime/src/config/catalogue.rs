use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::{ConfigError, PREFIX, Settings, kind::Kind};

/// One setting of a configuration type: a leaf of its tree of sections.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The keys from the root to the value.
    pub(super) path: Vec<String>,
    /// The environment variable.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) description: String,
    /// `Null` where there is none; never a secret.
    pub(super) default: Value,
    /// Whether there is a default that is a secret.
    pub(super) has_secret_default: bool,
}

/// A group of settings: a struct inside the configuration.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) path: Vec<String>,
    pub(super) description: String,
}

/// All settings of a configuration type by name, read from its JSON schema and its `Default`.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    pub(super) settings: Vec<Setting>,
    pub(super) sections: Vec<Section>,
    /// The configuration with every default, secrets left out.
    pub(super) defaults: Value,
}

impl Setting {
    /// `batch.max_rows`
    pub(super) fn key(&self) -> String {
        self.path.join(".")
    }

    /// The variable that names a file whose content is the value.
    pub(super) fn file_variable(&self) -> String {
        format!("{}{FILE_SUFFIX}", self.name)
    }
}

/// Ends the names of variables that hold the path of a mounted secret.
pub(super) const FILE_SUFFIX: &str = "_FILE";

impl Catalogue {
    pub(super) fn of<T: Settings>() -> Result<Self, ConfigError> {
        let defect = |message: String| ConfigError::Type {
            type_name: std::any::type_name::<T>(),
            message,
        };
        let inline =
            SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let schema = inline.into_generator().into_root_schema_for::<T>();
        let defaults = serde_json::to_value(T::default())
            .map_err(|error| defect(format!("its default does not serialize: {error}")))?;
        let mut catalogue = Self {
            settings: Vec::new(),
            sections: Vec::new(),
            defaults,
        };
        let properties = schema.as_object().and_then(properties);
        let properties = properties.ok_or_else(|| defect("it is not a struct".to_owned()))?;
        catalogue.collect(&[], properties);
        // The order of a schema depends on a feature that any crate of a build may turn on.
        catalogue
            .settings
            .sort_by(|left, right| left.path.cmp(&right.path));
        catalogue.forget_secrets();
        catalogue.refuse_ambiguous_names().map_err(defect)?;
        Ok(catalogue)
    }

    fn collect(&mut self, parent: &[String], properties: &Map<String, Value>) {
        for (key, schema) in properties {
            let Some(schema) = schema.as_object() else {
                continue;
            };
            let path: Vec<String> = parent.iter().chain([key]).cloned().collect();
            let description = description(schema);
            match self::properties(schema) {
                Some(properties) => {
                    self.sections.push(Section {
                        path: path.clone(),
                        description,
                    });
                    self.collect(&path, properties);
                }
                None => self.settings.push(Setting {
                    name: variable(&path),
                    kind: Kind::of(schema),
                    description,
                    default: at(&self.defaults, &path).cloned().unwrap_or_default(),
                    has_secret_default: false,
                    path,
                }),
            }
        }
    }

    /// A default that is a secret serializes as a placeholder, which must not become its value.
    fn forget_secrets(&mut self) {
        for setting in self
            .settings
            .iter_mut()
            .filter(|setting| setting.kind.is_secret())
        {
            let default = std::mem::take(&mut setting.default);
            setting.has_secret_default = super::redact::is_given(&default);
            remove(&mut self.defaults, &setting.path);
        }
    }

    fn refuse_ambiguous_names(&self) -> Result<(), String> {
        let mut names = std::collections::BTreeMap::new();
        for setting in &self.settings {
            for name in [setting.name.clone(), setting.file_variable()] {
                if let Some(other) = names.insert(name.clone(), setting.key()) {
                    return Err(format!("{name} could mean {other} or {}", setting.key()));
                }
            }
        }
        Ok(())
    }
}

/// The environment variable of a key: `batch.max_rows` is `OPENRIDE_BATCH_MAX_ROWS`.
fn variable(path: &[String]) -> String {
    let words = path.join("_").to_ascii_uppercase();
    format!(
        "{PREFIX}{}",
        words.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    )
}

/// The keys of a schema that describes a struct, optional or not.
fn properties(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let direct = schema.get("properties").and_then(Value::as_object);
    let optional = || {
        let any_of = schema.get("anyOf").and_then(Value::as_array)?;
        any_of
            .iter()
            .find_map(|schema| schema.get("properties")?.as_object())
    };
    direct.or_else(optional)
}

fn description(schema: &Map<String, Value>) -> String {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default().trim().to_owned()
}

/// The value under a path of keys.
pub(super) fn at<'v>(tree: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(tree, |value, key| value.get(key))
}

/// Puts a value under a path of keys, making the tables on the way.
pub(super) fn put(tree: &mut Value, path: &[String], value: Value) {
    let mut place = tree;
    for key in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(table) = place else { return };
        place = table.entry(key.clone()).or_insert(Value::Null);
    }
    *place = value;
}

/// Removes the value under a path of keys, if there is one.
pub(super) fn remove(tree: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let parent = parents
        .iter()
        .try_fold(tree, |value, key| value.get_mut(key));
    if let Some(table) = parent.and_then(Value::as_object_mut) {
        table.remove(last);
    }
}
