use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::Value;

use super::{
    ConfigError, PREFIX, Settings,
    catalogue::{Catalogue, Setting},
};

/// The settings of all services as they were published with this build.
const PUBLISHED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example"));

const HEADER: &str = "\
# Every setting of every OpenRide Analytics service, each with its default. Generated from the code.
#
# A line takes effect once its leading \"# \" is removed and its service is started with it.
# The name of a setting with _FILE behind it names a file that holds the value, for mounted secrets.
# A configuration file in TOML (--config FILE or OPENRIDE_CONFIG) takes the same settings by the dotted
# key that is given with each; the environment wins over it.
";

/// The settings of one service, for [`example()`].
#[derive(Clone, Debug)]
pub struct Document {
    service: String,
    catalogue: Catalogue,
}

/// Why the settings of several services cannot be documented together.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// One name means two things.
    #[error(
        "{name} means one thing to {first} and another to {second}: their descriptions, values or keys differ"
    )]
    Conflict {
        /// The variable.
        name: String,
        /// A service that has it.
        first: String,
        /// A service that has another setting by the same name.
        second: String,
    },
    /// A setting has no doc comment.
    #[error("{name} of {service} is not documented")]
    Undocumented {
        /// The variable.
        name: String,
        /// The service that has it.
        service: String,
    },
}

impl Document {
    /// The settings of the service of this name.
    pub fn of<T: Settings>(service: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            service: service.to_owned(),
            catalogue: Catalogue::of::<T>()?,
        })
    }
}

/// One setting with the services that have it and their defaults.
struct Entry<'d> {
    setting: &'d Setting,
    defaults: Vec<(&'d str, &'d Value)>,
}

/// The text of `.env.example`: each setting once, whichever services share it, with its description,
/// what it takes and its default, commented out.
pub fn example(documents: &[Document]) -> Result<String, ExampleError> {
    let mut text = HEADER.to_owned();
    let mut sections: BTreeMap<&[String], (&str, Vec<Entry<'_>>)> = BTreeMap::new();
    for document in documents {
        for section in &document.catalogue.sections {
            sections
                .entry(&section.path)
                .or_insert((&section.description, Vec::new()));
        }
        for setting in &document.catalogue.settings {
            let section = setting
                .path
                .split_last()
                .map_or(&[][..], |(_, section)| section);
            let (_, entries) = sections.entry(section).or_insert(("", Vec::new()));
            add(entries, &document.service, setting)?;
        }
    }
    for (path, (description, mut entries)) in sections {
        if entries.is_empty() {
            continue;
        }
        entries.sort_by_key(|entry| &entry.setting.name);
        let title = if path.is_empty() {
            "general".to_owned()
        } else {
            path.join(".")
        };
        let _ = write!(text, "\n## {title}\n");
        comment(&mut text, description);
        entries
            .iter()
            .for_each(|entry| write_entry(&mut text, entry));
    }
    Ok(text)
}

fn add<'d>(
    entries: &mut Vec<Entry<'d>>,
    service: &'d str,
    setting: &'d Setting,
) -> Result<(), ExampleError> {
    if setting.description.is_empty() {
        return Err(ExampleError::Undocumented {
            name: setting.name.clone(),
            service: service.to_owned(),
        });
    }
    match entries
        .iter_mut()
        .find(|entry| entry.setting.name == setting.name)
    {
        None => entries.push(Entry {
            setting,
            defaults: vec![(service, &setting.default)],
        }),
        Some(entry) if same_meaning(entry.setting, setting) => {
            entry.defaults.push((service, &setting.default))
        }
        Some(entry) => {
            return Err(ExampleError::Conflict {
                name: setting.name.clone(),
                first: entry
                    .defaults
                    .first()
                    .map_or("another service", |(first, _)| first)
                    .to_owned(),
                second: service.to_owned(),
            });
        }
    }
    Ok(())
}

/// Defaults may differ: each service has its own port.
fn same_meaning(left: &Setting, right: &Setting) -> bool {
    (&left.path, &left.kind, &left.description) == (&right.path, &right.kind, &right.description)
}

fn write_entry(text: &mut String, entry: &Entry<'_>) {
    let setting = entry.setting;
    text.push('\n');
    comment(text, &setting.description);
    comment(
        text,
        &format!("Key: {}. Takes {}.", setting.key(), setting.kind),
    );
    let services: Vec<&str> = entry.defaults.iter().map(|(service, _)| *service).collect();
    comment(text, &format!("Used by {}.", services.join(", ")));
    let mut defaults = entry.defaults.iter().map(|(_, default)| *default);
    let first = defaults.next().unwrap_or(&Value::Null);
    if defaults.any(|default| default != first) {
        let each = entry
            .defaults
            .iter()
            .map(|(service, default)| format!("{} ({service})", plain(default)));
        comment(
            text,
            &format!("Default: {}.", each.collect::<Vec<_>>().join(", ")),
        );
    } else if setting.has_secret_default {
        comment(text, "Default: not shown, since it is a secret.");
    } else if plain(first).is_empty() {
        comment(text, "Default: none.");
    }
    let _ = writeln!(text, "# {}={}", setting.name, quoted(&plain(first)));
}

fn comment(text: &mut String, prose: &str) {
    for line in prose.lines() {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
}

/// A default as it is written in the environment.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

/// Quoted where a shell would otherwise take the text apart.
fn quoted(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+".contains(c);
    match text.chars().all(is_safe) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// The text of `.env.example` as it was when this crate was built, to be compared with [`example()`].
pub fn published() -> &'static str {
    PUBLISHED
}

/// The names that `.env.example` documents.
pub(super) fn published_names() -> BTreeSet<String> {
    let settings = PUBLISHED.lines().filter_map(|line| {
        let (name, _) = line.trim_start_matches(['#', ' ']).split_once('=')?;
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        (name.starts_with(PREFIX) && name.chars().all(is_name)).then(|| name.to_owned())
    });
    settings.collect()
}
