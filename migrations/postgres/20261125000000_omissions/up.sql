-- The how-manieth time it was, of its batch, that ranges were left out of it because they no longer read as stored: what
-- the batch inserts from then on lacks this range. It stays when the range returns.
ALTER TABLE ingest_range ADD COLUMN omission integer;
UPDATE ingest_range SET omission = 1 WHERE parked;
