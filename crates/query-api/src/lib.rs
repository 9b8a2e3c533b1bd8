//! The HTTP API over the metrics and analyses.
//!
//! ```text
//! request ─▶ http::request_id ─▶ routes ─▶ parameters ─▶ analytics::Query ─▶ ClickHouse
//!                                   │                                            │
//!                                   ├─▶ lanes (PostgreSQL): complete_through     ▼
//!                                   └──────────────────────────▶ Answer { date_range, metrics } ─▶ JSON
//! anything that goes wrong ─▶ error: ApiError ─▶ one table ─▶ problem document (RFC 9457)
//! ```
//!
//! Definitions of metrics and analyses are in the crate `analytics`; this one reads parameters, asks, and answers. It has no
//! access control yet and therefore listens to its own machine only.

mod answer;
mod ask;
mod cache;
mod config;
mod error;
mod health;
mod http;
mod lanes;
mod openapi;
mod parameters;
mod redis;
mod routes;
mod server;
mod services;

pub use cache::CacheConfig;
pub use config::{Config, HttpConfig};
pub use openapi::document as openapi;
pub use redis::RedisConfig;
pub use server::{Server, bind, run};
