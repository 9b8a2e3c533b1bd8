//! The rows of a batch, by domain.

use crate::rows::Rows;
use chrono::NaiveDate;
use event_store::{
    Buffers,
    native::{BlockError, Body},
};
use shared_schema::Domain;
use std::collections::BTreeSet;

/// Rows of one domain, encoded.
#[derive(Debug, Clone)]
pub struct DomainInsert {
    /// Whose input table they go to.
    pub domain: Domain,
    /// A Native block, with a sentinel for each of `months`.
    pub body: Body,
    /// The UTC months of its rows, by their first days.
    pub months: BTreeSet<NaiveDate>,
    /// The hours of its rows, counted from 1970.
    pub hours: BTreeSet<i64>,
}

/// Turns batches into rows. The default keeps no memory between them.
pub struct Encoder {
    domains: Vec<(Domain, Rows)>,
    memory: Buffers,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new(Buffers::default())
    }
}

impl Encoder {
    /// No rows yet; the memory of columns is taken from `memory` and goes back to it with the inserts.
    pub fn new(memory: Buffers) -> Self {
        let domains = Domain::ALL.map(|domain| (domain, Rows::new(domain)));
        Self {
            domains: domains.into(),
            memory,
        }
    }

    /// The (empty) rows of a domain.
    pub fn rows(&mut self, domain: Domain) -> Option<&mut Rows> {
        self.domains
            .iter_mut()
            .find(|(of, _)| *of == domain)
            .map(|(_, rows)| rows)
    }

    pub(super) fn finish(&mut self) -> Result<Vec<DomainInsert>, BlockError> {
        let Self { domains, memory } = self;
        let filled = domains.iter_mut().filter(|(_, rows)| !rows.is_empty());
        filled
            .map(|(domain, rows)| {
                let hours = rows.take_hours();
                let (body, months) = rows.finish(memory)?;
                Ok(DomainInsert {
                    domain: *domain,
                    body,
                    months,
                    hours,
                })
            })
            .collect()
    }
}
