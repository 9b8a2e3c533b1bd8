//! The simulator, seen from outside.

mod answer;
