use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::PathBuf,
};

use serde_json::Value;

use super::{
    ConfigError, Origin, Problem, Settings,
    catalogue::{Catalogue, Setting, at, put, remove},
    environment, example, file,
    redact::without_password,
    redacted,
};

/// The sources of a configuration: the defaults of the type, over them a TOML file, over that the
/// environment.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    file: Option<PathBuf>,
    variables: BTreeMap<String, OsString>,
    known_elsewhere: BTreeSet<String>,
}

/// A configuration that was loaded, with what is known about its making.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// The configuration, complete and checked.
    pub config: T,
    /// Variables that were passed over because they are settings of other OpenRide services.
    pub ignored: Vec<String>,
    origins: BTreeMap<String, Origin>,
}

/// One setting as it was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedSetting {
    /// The environment variable that sets it.
    pub name: String,
    /// Its value, without secrets.
    pub value: Value,
    /// Where the value comes from.
    pub origin: Origin,
}

impl Loader {
    /// The environment of this process, and the TOML file if one is named.
    pub fn from_process(file: Option<PathBuf>) -> Self {
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self {
            file,
            variables: variables.collect(),
            known_elsewhere: example::published_names(),
        }
    }

    /// Reads this TOML file as well.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Names a variable that belongs to another service and may therefore be present.
    #[must_use]
    pub fn with_known_elsewhere(mut self, name: impl Into<String>) -> Self {
        self.known_elsewhere.insert(name.into());
        self
    }

    /// Loads and checks a configuration. Everything that is wrong with it is reported at once.
    pub fn load<T: Settings>(&self) -> Result<Loaded<T>, ConfigError> {
        let catalogue = Catalogue::of::<T>()?;
        let file = self
            .file
            .as_deref()
            .map(|path| file::read(&catalogue, path));
        let mut file = file.transpose()?.unwrap_or_default();
        let mut environment = environment::read(&catalogue, &self.variables, &self.known_elsewhere);
        let mut problems = std::mem::take(&mut file.problems);
        problems.append(&mut environment.problems);
        let ignored = std::mem::take(&mut environment.ignored);

        let mut tree = catalogue.defaults.clone();
        let mut origins = BTreeMap::new();
        file.apply(&mut tree, &mut origins);
        environment.apply(&mut tree, &mut origins);
        let config: T = deserialize(&catalogue, tree, &origins, &mut problems)?;
        if problems.is_empty()
            && let Err(found) = config.validate()
        {
            problems.extend(found.into_iter().map(|problem| named(&catalogue, problem)));
        }
        match problems.is_empty() {
            true => Ok(Loaded {
                config,
                ignored,
                origins,
            }),
            false => Err(ConfigError::Invalid(problems)),
        }
    }
}

impl<T: Settings> Loaded<T> {
    /// Every setting with its value and where that comes from.
    pub fn settings(&self) -> Result<Vec<LoadedSetting>, ConfigError> {
        let values = redacted(&self.config)?;
        let settings = Catalogue::of::<T>()?.settings.into_iter();
        let loaded = settings.map(|setting| LoadedSetting {
            value: at(&values, &setting.path).cloned().unwrap_or_default(),
            origin: self
                .origins
                .get(&setting.key())
                .cloned()
                .unwrap_or(Origin::Default),
            name: setting.name,
        });
        Ok(loaded.collect())
    }
}

/// Deserializes the tree. A value that its type refuses is noted and replaced by its default, so that
/// the values after it are looked at as well.
fn deserialize<T: Settings>(
    catalogue: &Catalogue,
    mut tree: Value,
    origins: &BTreeMap<String, Origin>,
    problems: &mut Vec<Problem>,
) -> Result<T, ConfigError> {
    let mut refused = BTreeSet::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&tree) {
            Ok(config) => return Ok(config),
            Err(error) => error,
        };
        let place = error.path().to_string();
        let setting = catalogue
            .settings
            .iter()
            .find(|setting| covers(setting, &place));
        let origin = setting.and_then(|setting| origins.get(&setting.key()));
        let Some((setting, origin)) = setting
            .zip(origin)
            .filter(|(setting, _)| refused.insert(setting.key()))
        else {
            return Err(ConfigError::Type {
                type_name: std::any::type_name::<T>(),
                message: format!(
                    "its default does not deserialize: {place}: {}",
                    error.inner()
                ),
            });
        };
        let value = at(&tree, &setting.path).cloned().unwrap_or_default();
        problems.push(refusal(setting, origin, &value, error.inner()));
        match setting.default.is_null() {
            true => remove(&mut tree, &setting.path),
            false => put(&mut tree, &setting.path, setting.default.clone()),
        }
    }
}

/// Whether a place such as `kafka.topics[2]` lies in the value of a setting.
fn covers(setting: &Setting, place: &str) -> bool {
    let rest = place.strip_prefix(&setting.key());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn refusal(
    setting: &Setting,
    origin: &Origin,
    value: &Value,
    error: &serde_json::Error,
) -> Problem {
    let name = match origin {
        Origin::Environment(name) => name.clone(),
        Origin::File(path) => format!("{} in {}", setting.key(), path.display()),
        Origin::Default => setting.name.clone(),
    };
    let message = match (setting.kind.is_secret(), value) {
        (true, _) => "the value cannot be used".to_owned(),
        (false, Value::String(text)) => {
            let shown = without_password(text);
            format!(
                "`{shown}`: {}",
                error.to_string().replace(text.as_str(), &shown)
            )
        }
        (false, value) => format!("`{value}`: {error}"),
    };
    Problem::new(name, format!("{message} (allowed: {})", setting.kind))
}

/// A problem of a cross-field check under the name that the user can set.
fn named(catalogue: &Catalogue, problem: Problem) -> Problem {
    let setting = catalogue
        .settings
        .iter()
        .find(|setting| setting.key() == problem.setting);
    match setting {
        Some(setting) => Problem::new(
            format!("{} ({})", setting.name, setting.key()),
            problem.message,
        ),
        None => problem,
    }
}
