//! Producers that do not yet write as the contract says: data, not code.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::EventType;

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and a test reads it"
    )]
    parse(include_str!("../adapters.toml")).expect("adapters.toml is well-formed")
});

/// How the records of one legacy topic differ from the contract.
#[derive(Clone, Debug)]
pub struct Adapter {
    topic: String,
    event_type: EventType,
    aliases: HashMap<String, String>,
}

impl Adapter {
    /// Every adapter of `adapters.toml`.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &ADAPTERS
    }

    /// The adapter that reads a topic.
    #[must_use]
    pub fn for_topic(topic: &str) -> Option<&'static Self> {
        ADAPTERS.iter().find(|adapter| adapter.topic == topic)
    }

    /// The topic that it reads.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The type of every event in that topic.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        self.event_type
    }

    /// The contract's name for a field, which may be the name itself.
    #[must_use]
    pub fn canonical<'n>(&'n self, name: &'n str) -> &'n str {
        self.aliases.get(name).map_or(name, String::as_str)
    }

    /// Each alias with the contract's name for it.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases
            .iter()
            .map(|(alias, name)| (alias.as_str(), name.as_str()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    envelope: HashMap<String, String>,
    adapter: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    topic: String,
    event_type: EventType,
    aliases: HashMap<String, String>,
}

fn parse(text: &str) -> Result<Vec<Adapter>, toml::de::Error> {
    let File { envelope, adapter } = toml::from_str(text)?;
    let with_envelope = |entry: Entry| Adapter {
        topic: entry.topic,
        event_type: entry.event_type,
        aliases: envelope.clone().into_iter().chain(entry.aliases).collect(),
    };
    Ok(adapter.into_iter().map(with_envelope).collect())
}
