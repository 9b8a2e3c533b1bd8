//! Applies the ClickHouse and PostgreSQL migrations.
