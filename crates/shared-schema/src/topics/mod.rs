//! Which topic carries which event types.
//!
//! Each domain has a topic of its own that carries all of the domain's types. A producer that still
//! writes one topic per event is accommodated in two steps, and start-up insists on both:
//!
//! ```toml
//! legacy_topics = ["booking.created"]     # 1. subscribe to the topic, through its adapter
//! moved_event_types = ["booking.created"] # 2. take the type away from the domain's own topic
//! ```
//!
//! One event type is consumed from one topic. Without step 2 two topics would carry it and start-up is
//! refused; after it, an event of the type that still arrives at the domain's topic is `wrong_topic`.

mod config;
mod error;

use crate::{Adapter, Domain, EventType, EventTypeSet};
pub use config::TopicsConfig;
pub use error::TopicsError;

/// Where dead letters go unless the configuration says otherwise.
pub const DEFAULT_DEAD_LETTER_TOPIC: &str = "openride.events.dlq";

/// A topic and what is to be read from it.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The topic's name.
    pub topic: String,
    /// What its events are about.
    pub domain: Domain,
    /// The types that it carries.
    pub event_types: EventTypeSet,
    /// How its records differ from the contract, if they do.
    pub adapter: Option<&'static Adapter>,
    /// Largest accepted value of a record, in bytes.
    pub max_event_bytes: usize,
}

/// All subscribed topics. No two of them carry the same event type.
#[derive(Clone, Debug)]
pub struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    /// Works out who carries what.
    ///
    /// # Errors
    /// When two topics carry one type, or none carries a moved one, or a name is unknown or used twice.
    pub fn new(config: &TopicsConfig) -> Result<Self, TopicsError> {
        let moved = moved_types(config)?;
        let legacy = legacy_subscriptions(config)?;
        let mut all = standard_subscriptions(config, moved)?;
        for event_type in moved.iter() {
            if !legacy
                .iter()
                .any(|source| source.event_types.contains(event_type))
            {
                return Err(TopicsError::MovedNowhere { event_type });
            }
        }
        all.extend(legacy);
        refuse_shared_names(&all)?;
        refuse_shared_types(&all)?;
        Ok(Self(all))
    }

    /// The subscription to a topic.
    #[must_use]
    pub fn by_topic(&self, topic: &str) -> Option<&Subscription> {
        self.0.iter().find(|source| source.topic == topic)
    }

    /// The subscription that carries a type.
    #[must_use]
    pub fn carrying(&self, event_type: EventType) -> Option<&Subscription> {
        self.0
            .iter()
            .find(|source| source.event_types.contains(event_type))
    }

    /// All subscriptions: the domains' in the order of the contract, then the legacy ones.
    pub fn iter(&self) -> std::slice::Iter<'_, Subscription> {
        self.0.iter()
    }

    /// The names of all subscribed topics.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|source| source.topic.as_str())
    }
}

impl Default for Subscriptions {
    /// The six topics of the contract.
    fn default() -> Self {
        let config = TopicsConfig::default();
        Self(
            Domain::ALL
                .iter()
                .map(|domain| standard(&config, *domain, EventTypeSet::default()))
                .collect(),
        )
    }
}

impl<'a> IntoIterator for &'a Subscriptions {
    type Item = &'a Subscription;
    type IntoIter = std::slice::Iter<'a, Subscription>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn moved_types(config: &TopicsConfig) -> Result<EventTypeSet, TopicsError> {
    let parse = |name: &String| {
        EventType::parse(name).ok_or_else(|| TopicsError::UnknownType { name: name.clone() })
    };
    config.moved_event_types.iter().map(parse).collect()
}

fn standard(config: &TopicsConfig, domain: Domain, moved: EventTypeSet) -> Subscription {
    let own = EventTypeSet::of_domain(domain);
    Subscription {
        topic: config.topic_of(domain).to_owned(),
        domain,
        event_types: own.iter().filter(|kind| !moved.contains(*kind)).collect(),
        adapter: None,
        max_event_bytes: config.max_event_bytes,
    }
}

fn standard_subscriptions(
    config: &TopicsConfig,
    moved: EventTypeSet,
) -> Result<Vec<Subscription>, TopicsError> {
    let named = |domain: Domain| match config.topic_of(domain) {
        "" => Err(TopicsError::NoName { domain }),
        _ => Ok(standard(config, domain, moved)),
    };
    Domain::ALL.into_iter().map(named).collect()
}

fn legacy_subscriptions(config: &TopicsConfig) -> Result<Vec<Subscription>, TopicsError> {
    let subscription = |topic: &String| {
        let adapter = Adapter::for_topic(topic).ok_or_else(|| TopicsError::NoAdapter {
            topic: topic.clone(),
            known: Adapter::all()
                .iter()
                .map(Adapter::topic)
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        Ok(Subscription {
            topic: topic.clone(),
            domain: adapter.event_type().domain(),
            event_types: EventTypeSet::from_iter([adapter.event_type()]),
            adapter: Some(adapter),
            max_event_bytes: config.max_event_bytes,
        })
    };
    config.legacy_topics.iter().map(subscription).collect()
}

fn pairs(all: &[Subscription]) -> impl Iterator<Item = (&Subscription, &Subscription)> {
    all.iter()
        .enumerate()
        .flat_map(|(i, one)| all.iter().skip(i + 1).map(move |other| (one, other)))
}

fn refuse_shared_names(all: &[Subscription]) -> Result<(), TopicsError> {
    match pairs(all).find(|(one, other)| one.topic == other.topic) {
        Some((one, _)) => Err(TopicsError::NamedTwice {
            topic: one.topic.clone(),
        }),
        None => Ok(()),
    }
}

fn refuse_shared_types(all: &[Subscription]) -> Result<(), TopicsError> {
    for (one, other) in pairs(all) {
        if let Some(event_type) = one
            .event_types
            .iter()
            .find(|kind| other.event_types.contains(*kind))
        {
            let (first, second) = (one.topic.clone(), other.topic.clone());
            return Err(TopicsError::CarriedTwice {
                event_type,
                first,
                second,
            });
        }
    }
    Ok(())
}
