//! Kafka to ClickHouse, exactly once.
