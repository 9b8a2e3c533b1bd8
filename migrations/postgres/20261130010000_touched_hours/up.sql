-- Which hours of events a batch adds to, by domain; null of a batch that was put back and of those before this migration.
ALTER TABLE ingest_batch ADD COLUMN touched jsonb;
-- This server's time when all rows of the batch were known to be stored. Members' clocks differ; who keeps an answer must
-- be able to tell whether a batch was stored before it was asked for.
ALTER TABLE ingest_batch ADD COLUMN stored_by timestamptz;
CREATE INDEX ingest_batch_stored ON ingest_batch (stored_by);
