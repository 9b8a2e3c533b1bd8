//! The ingestor against real servers.
#![expect(unreachable_pub, reason = "the modules of a test binary have no outside")]

mod end_to_end;
mod member;
mod own;
mod platform;
mod proxy;
mod story;
mod takeover;
mod zombies;
