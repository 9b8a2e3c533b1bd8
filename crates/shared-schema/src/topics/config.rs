//! The setting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Domain;

const MIB: usize = 1 << 20;

/// The topics to subscribe to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TopicsConfig {
    /// Topic of user events.
    pub user: String,
    /// Topic of booking events.
    pub booking: String,
    /// Topic of payment events.
    pub payment: String,
    /// Topic of trip events.
    pub trip: String,
    /// Topic of route events.
    pub route: String,
    /// Topic of location events.
    pub location: String,
    /// Topics of producers that write one topic per event, by the names in `adapters.toml`.
    pub legacy_topics: Vec<String>,
    /// Event types that come from a legacy topic and no longer from their domain's own.
    pub moved_event_types: Vec<String>,
    /// Largest accepted value of a record, in bytes.
    #[schemars(range(min = 1))]
    pub max_event_bytes: usize,
}

impl Default for TopicsConfig {
    fn default() -> Self {
        let topic = |domain: Domain| domain.default_topic().to_owned();
        Self {
            user: topic(Domain::User),
            booking: topic(Domain::Booking),
            payment: topic(Domain::Payment),
            trip: topic(Domain::Trip),
            route: topic(Domain::Route),
            location: topic(Domain::Location),
            legacy_topics: Vec::new(),
            moved_event_types: Vec::new(),
            max_event_bytes: MIB,
        }
    }
}

impl TopicsConfig {
    /// The name of a domain's own topic.
    #[must_use]
    pub fn topic_of(&self, domain: Domain) -> &str {
        match domain {
            Domain::User => &self.user,
            Domain::Booking => &self.booking,
            Domain::Payment => &self.payment,
            Domain::Trip => &self.trip,
            Domain::Route => &self.route,
            Domain::Location => &self.location,
        }
    }
}
