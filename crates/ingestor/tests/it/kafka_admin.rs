//! Kafka's administrator, for tests that change topics.

use crate::platform::{PATIENCE, Platform};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};

pub fn admin(platform: &Platform) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", &platform.config.kafka.brokers)
        .create()
        .unwrap()
}

pub fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(PATIENCE))
        .request_timeout(Some(PATIENCE))
}
