//! What only shows where all services stand side by side.

mod settings;
