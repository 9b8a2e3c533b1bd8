ALTER TABLE ingest_range DROP COLUMN omission;
