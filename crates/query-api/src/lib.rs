//! The HTTP API over the metrics and analyses.
//!
//! ```text
//! request ─▶ http::framed ─▶ access ─▶ routes ─▶ parameters ─▶ cache ─▶ analytics::Query ─▶ turns ─▶ ClickHouse
//!                                                               │                                      │
//!                                   lanes (PostgreSQL): complete_through                               ▼
//!                                                               └─▶ Answer { date_range, metrics } ─▶ JSON
//!                               cells: a token for each count ─▶ /v1/events: the facts that it counts
//! anything that goes wrong ─▶ error: ApiError ─▶ one table ─▶ problem document (RFC 9457)
//! ```
//!
//! Definitions of metrics and analyses are in the crate `analytics`; this one reads parameters, asks, and answers.

mod access;
mod answer;
mod ask;
mod cache;
mod cells;
mod config;
mod error;
mod health;
mod http;
pub mod keys_command;
mod lanes;
mod openapi;
mod parameters;
mod redis;
mod routes;
mod server;
mod services;
mod turns;

pub use crate::http::CorsConfig;
pub use access::{AuthConfig, AuthMode, TokenConfig};
pub use cache::CacheConfig;
pub use cells::CellsConfig;
pub use config::{Config, HttpConfig};
pub use openapi::document as openapi;
pub use redis::RedisConfig;
pub use server::{Server, bind, run};
