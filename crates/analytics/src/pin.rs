use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_schema::Domain;
use utoipa::ToSchema;

use crate::query::{Parameters, Query};

/// What was durable and settled at a moment. What lies before it never changes: a record below the next durable offset
/// of its partition has had its verdict, and a settling decides once, later than all before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// By topic, the next offset of each partition from the first on; 0 where nothing is durable.
    next_offsets: BTreeMap<String, Vec<u64>>,
    /// By topic, what its events are about. Of a topic that is not here nobody knows.
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    carried: BTreeMap<String, BTreeSet<Domain>>,
    /// When the last settling was decided that counts.
    settled_through: DateTime<Utc>,
    /// When it was made.
    pub(crate) made_at: DateTime<Utc>,
}

/// Partitions of a topic that a pin may have: more than Kafka serves well.
const MOST_PARTITIONS: usize = 10_000;

/// The time of the last settling, for [`Pin::new`]; the one row is a number of milliseconds since 1970.
#[must_use]
pub fn settled_through() -> Query {
    Query {
        sql: "SELECT toUnixTimestamp64Milli(max(settled_at)) FROM settlements".to_owned(),
        parameters: Vec::new(),
    }
}

impl Pin {
    /// The pin of these lanes, each with its partition and the first offset that is not durable, of what their topics carry,
    /// where that is known, and of what [`settled_through`] answered.
    pub fn new<'l>(
        lanes: impl IntoIterator<Item = (&'l str, i32, i64)>,
        mut carried: BTreeMap<String, BTreeSet<Domain>>,
        settled_ms: i64,
        made_at: DateTime<Utc>,
    ) -> Self {
        let mut next = BTreeMap::<String, Vec<u64>>::new();
        for (topic, partition, offset) in lanes {
            let (Ok(partition), Ok(offset)) = (usize::try_from(partition), u64::try_from(offset))
            else {
                continue;
            };
            if offset == 0 || partition >= MOST_PARTITIONS {
                continue;
            }
            let partitions = next.entry(topic.to_owned()).or_default();
            if partitions.len() <= partition {
                partitions.resize(partition + 1, 0);
            }
            if let Some(known) = partitions.get_mut(partition) {
                *known = offset;
            }
        }
        carried.retain(|topic, _| next.contains_key(topic));
        Self {
            carried,
            next_offsets: next,
            settled_through: DateTime::from_timestamp_millis(settled_ms).unwrap_or_default(),
            made_at,
        }
    }

    /// The same of the topics that may have events of these domains: all but those that are known to carry others.
    pub(crate) fn of(&self, domains: &[Domain]) -> Self {
        let mut pin = self.clone();
        pin.next_offsets
            .retain(|topic, _| self.may_have(topic, domains));
        pin.carried
            .retain(|topic, _| pin.next_offsets.contains_key(topic));
        pin
    }

    fn may_have(&self, topic: &str, domains: &[Domain]) -> bool {
        let carried = self.carried.get(topic);
        carried.is_none_or(|carried| domains.iter().any(|domain| carried.contains(domain)))
    }

    /// The condition on an event of a domain that it was durable.
    pub(crate) fn durable(&self, domain: Domain, parameters: &mut Parameters) -> String {
        let next_offsets = self.next_offsets.iter();
        let next_offsets = next_offsets.filter(|(topic, _)| self.may_have(topic, &[domain]));
        let topics = next_offsets.map(|(topic, next)| {
            let topic = parameters.text("pin_topic", topic);
            let next = parameters.numbers("pin_next", next.clone());
            // beyond the end of a list there is 0
            format!("(kafka_topic = {topic} AND kafka_offset < {next}[kafka_partition + 1])")
        });
        let topics: Vec<String> = topics.collect();
        match topics.is_empty() {
            true => "false".to_owned(),
            false => format!("({})", topics.join(" OR ")),
        }
    }

    /// The place of the time up to which settlings count.
    pub(crate) fn settled(&self, parameters: &mut Parameters) -> String {
        parameters.time("pin_settled", self.settled_through)
    }
}
