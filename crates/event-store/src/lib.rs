//! ClickHouse in both directions: insert, select, migrations. The only crate that knows its HTTP settings.
