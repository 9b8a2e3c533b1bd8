//! The local stack: Kafka, ClickHouse, PostgreSQL and Redis without containers.
