//! The ingestor against real servers.
#![expect(
    unreachable_pub,
    reason = "the modules of a test binary have no outside"
)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what helps a test fails like a test"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the members under test judge by the machine's clock"
)]

mod admin_port;
mod bad_input;
mod behind;
mod changed_schema;
mod clickhouse_faults;
mod clock_ahead;
mod dead_letter_faults;
mod dead_letter_topic;
mod draining;
mod end_to_end;
mod hung_postgres;
mod kafka_admin;
mod lanes_command;
mod left_by_another;
mod log_faults;
mod lost_reply;
mod many_lanes;
mod member;
mod migrations_lock;
mod model;
mod open_batch_alarm;
mod other_codec;
mod own;
mod partitions_of_the_network;
mod platform;
mod postgres;
mod postgres_faults;
mod postgres_rewound;
mod proxy;
mod refusals;
mod services_role;
mod settling;
mod settling_faults;
mod settling_sources;
mod stored_rows;
mod story;
mod takeover;
mod telemetry;
mod tidy;
mod too_old;
mod topics;
mod touched;
mod unread_lanes;
mod zombies;
