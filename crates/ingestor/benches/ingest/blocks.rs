//! The records as blocks, encoded beforehand as the ingestor would.

use crate::{arguments::Arguments, reader::read_all, rig::Rig, traffic::Traffic};
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use event_store::{Buffers, native::Body};
use ingestor::rows::{Place, Rows};
use rdkafka::Message;
use shared_schema::{AgeLimits, ClockSkew, Domain, Subscription, Subscriptions, decode, judge_age};
use std::collections::HashSet;
use uuid::Uuid;

/// One batch's inserts.
#[derive(Default)]
pub(crate) struct Encoded {
    /// A block for each domain that has rows.
    pub(crate) inserts: Vec<(Domain, Body)>,
    /// How many events they hold.
    pub(crate) events: u64,
}

/// The batches of all records.
pub(crate) struct Blocks {
    /// In the order of reading.
    pub(crate) batches: Vec<Encoded>,
    /// The time against which they were judged.
    pub(crate) decided_at: DateTime<Utc>,
}

impl Blocks {
    /// Reads and encodes everything that the ingestor would accept, in batches as large as its own.
    pub(crate) fn encode(
        rig: &Rig,
        traffic: &Traffic,
        arguments: &Arguments,
    ) -> anyhow::Result<Self> {
        let config = rig.settings("none")?;
        let sources = Subscriptions::new(&config.topics)?;
        let mut encoder = BatchEncoder::new(config.judge.age_limits());
        let mut batches = Vec::new();
        let mut taken = 0;
        read_all(&config, traffic, arguments.limit(), |message| {
            let source = sources
                .by_topic(message.topic())
                .context("a topic that nobody subscribed to")?;
            encoder.take(message, source);
            taken += 1;
            if taken == config.batch.max_rows {
                taken = 0;
                batches.push(encoder.finish()?);
            }
            Ok(())
        })?;
        batches.push(encoder.finish()?);
        let decided_at = encoder.decided_at;
        Ok(Self {
            batches,
            decided_at,
        })
    }

    /// All events.
    pub(crate) fn events(&self) -> u64 {
        self.batches.iter().map(|batch| batch.events).sum()
    }
}

struct BatchEncoder {
    rows: Vec<(Domain, Rows)>,
    events: u64,
    /// A repetition in the simulator's traffic has the id of what it repeats.
    seen: HashSet<Uuid>,
    limits: AgeLimits,
    decided_at: DateTime<Utc>,
}

impl BatchEncoder {
    fn new(limits: AgeLimits) -> Self {
        Self {
            rows: Domain::ALL.map(|domain| (domain, Rows::new(domain))).into(),
            events: 0,
            seen: HashSet::new(),
            limits,
            decided_at: Utc::now(),
        }
    }

    /// Adds the row of a record, if it is a good one and a new one.
    fn take(&mut self, message: &impl Message, source: &Subscription) {
        let value = message.payload().unwrap_or_default();
        let Ok(decoded) = decode(value, source) else {
            return;
        };
        let now_ms = self.decided_at.timestamp_millis();
        let age = judge_age(decoded.timestamp_ms, now_ms, source.domain, &self.limits);
        let Ok(ClockSkew(skewed)) = age else { return };
        if !self.seen.insert(decoded.event_id) {
            return;
        }
        let place = Place {
            topic: message.topic(),
            partition: u32::try_from(message.partition()).unwrap_or_default(),
            offset: u64::try_from(message.offset()).unwrap_or_default(),
            timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
        };
        let own = |(domain, _): &&mut (Domain, Rows)| *domain == source.domain;
        if let Some((_, rows)) = self.rows.iter_mut().find(own) {
            rows.push(&decoded, place, skewed, value);
            self.events += 1;
        }
    }

    fn finish(&mut self) -> anyhow::Result<Encoded> {
        let mut encoded = Encoded {
            events: std::mem::take(&mut self.events),
            inserts: Vec::new(),
        };
        for (domain, rows) in self.rows.iter_mut().filter(|(_, rows)| !rows.is_empty()) {
            let (body, _) = rows.finish(&Buffers::default())?;
            encoded.inserts.push((*domain, body));
        }
        Ok(encoded)
    }
}
