//! What can be wrong with the setting.

use crate::{Domain, EventType};

/// A set of topics that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicsError {
    /// Two topics would carry one event type.
    #[error(
        "the topics `{first}` and `{second}` both carry {event_type}, which must come from one: add it \
         to moved_event_types to take it from the legacy topic, or drop that topic from legacy_topics"
    )]
    CarriedTwice {
        /// The type.
        event_type: EventType,
        /// One of the topics.
        first: String,
        /// The other.
        second: String,
    },
    /// Two of the domains, or a domain and an adapter, would share a topic.
    #[error("the topic `{topic}` is named twice; every domain has a topic of its own")]
    NamedTwice {
        /// The topic.
        topic: String,
    },
    /// A legacy topic for which there is no adapter.
    #[error("no adapter reads the topic `{topic}`; legacy_topics may name {known}")]
    NoAdapter {
        /// The topic.
        topic: String,
        /// The topics for which there is one.
        known: String,
    },
    /// A moved type that does not exist.
    #[error("moved_event_types names `{name}`, which is no event type")]
    UnknownType {
        /// The name.
        name: String,
    },
    /// A moved type that no legacy topic carries, so that nothing would.
    #[error("moved_event_types names {event_type}, but none of legacy_topics carries it")]
    MovedNowhere {
        /// The type.
        event_type: EventType,
    },
    /// A topic without a name.
    #[error("the topic of {domain} events has no name")]
    NoName {
        /// The domain.
        domain: Domain,
    },
}
