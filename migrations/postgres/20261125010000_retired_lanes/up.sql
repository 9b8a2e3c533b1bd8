-- When an operator has retired the lane: its topic, or its partition, is gone for good, and nothing waits for it.
ALTER TABLE ingest_lane ADD COLUMN retired_at timestamptz;
