//! Distinct counts by region.

use std::collections::HashSet;
use std::hash::Hash;

/// How an event bears on a question about a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It lies in the region.
    Inside,
    /// It lies in a known region, and the question is about the unknown one.
    Known,
}

/// Distinct users, drivers or days. Of the unknown region are those that are found in no known one.
#[derive(Debug)]
pub(super) struct Distinct<T> {
    inside: HashSet<T>,
    known: HashSet<T>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self {
            inside: HashSet::new(),
            known: HashSet::new(),
        }
    }
}

impl<T: Eq + Hash> Distinct<T> {
    pub(super) fn add(&mut self, standing: Standing, thing: T) {
        match standing {
            Standing::Inside => self.inside.insert(thing),
            Standing::Known => self.known.insert(thing),
        };
    }

    pub(super) fn count(&self) -> u64 {
        self.inside.difference(&self.known).count() as u64
    }
}
