//! The simulator, seen from outside.

mod answer;
mod judge;
mod story;
mod traffic;
