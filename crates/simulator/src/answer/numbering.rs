//! Ids and regions replaced by small numbers, so that a million events fit comfortably.

use super::rows::Number;
use std::collections::HashMap;
use std::hash::Hash;

/// Numbers things in the order in which they are first seen.
#[derive(Debug, Clone)]
pub(super) struct Numbering<T> {
    numbers: HashMap<T, Number>,
    things: Vec<T>,
}

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            things: Vec::new(),
        }
    }
}

impl<T: Copy + Eq + Hash> Numbering<T> {
    /// The number of a thing, a new one if it has none.
    pub(super) fn number(&mut self, thing: T) -> Number {
        let next = Number::try_from(self.things.len()).unwrap_or(Number::MAX);
        let number = *self.numbers.entry(thing).or_insert(next);
        if number == next {
            self.things.push(thing);
        }
        number
    }

    /// The thing of a number.
    pub(super) fn thing(&self, number: Number) -> Option<T> {
        self.things.get(place(number)).copied()
    }

    /// The things, by number.
    pub(super) fn things(&self) -> &[T] {
        &self.things
    }
}

/// A number as a place in a vector.
pub(super) const fn place(number: Number) -> usize {
    number as usize
}

/// The entry of a number in a table that grows as needed.
pub(super) fn entry<T: Default>(table: &mut Vec<T>, number: Number) -> Option<&mut T> {
    if table.len() <= place(number) {
        table.resize_with(place(number) + 1, T::default);
    }
    table.get_mut(place(number))
}
