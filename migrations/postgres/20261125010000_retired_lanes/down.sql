ALTER TABLE ingest_lane DROP COLUMN retired_at;
