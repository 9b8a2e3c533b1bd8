DROP TABLE settle_horizon;
DROP TABLE settle_batch;
DROP TABLE ingest_range;
DROP TABLE ingest_batch;
DROP TABLE ingest_lane;
