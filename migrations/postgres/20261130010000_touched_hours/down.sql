DROP INDEX ingest_batch_stored;
ALTER TABLE ingest_batch DROP COLUMN stored_by;
ALTER TABLE ingest_batch DROP COLUMN touched;
