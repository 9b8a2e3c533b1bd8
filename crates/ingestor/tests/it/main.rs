//! The ingestor against real servers.
#![expect(
    unreachable_pub,
    reason = "the modules of a test binary have no outside"
)]

mod bad_input;
mod clickhouse_faults;
mod dead_letter_topic;
mod end_to_end;
mod log_faults;
mod lost_reply;
mod member;
mod own;
mod platform;
mod postgres_faults;
mod proxy;
mod settling;
mod story;
mod takeover;
mod zombies;
