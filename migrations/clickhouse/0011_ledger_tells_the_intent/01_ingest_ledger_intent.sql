-- With these the ledger tells all that was promised about a batch, should PostgreSQL have forgotten it: the version
-- that made the rows, what a duplicate and an age were judged by, the digest of the range (0: not kept), and the
-- verdicts that a second look could see differently. Rows from before have empty verdicts: those stand in the
-- tables of duplicates, dead letters and gaps.
ALTER TABLE {{database}}.ingest_ledger{{local}}
ADD COLUMN IF NOT EXISTS codec Int64 DEFAULT 1,
ADD COLUMN IF NOT EXISTS dedup_window Int64 DEFAULT 20000,
ADD COLUMN IF NOT EXISTS age_limits String DEFAULT '',
ADD COLUMN IF NOT EXISTS hash Int64 DEFAULT 0,
ADD COLUMN IF NOT EXISTS verdicts String DEFAULT '' CODEC(ZSTD(1)),
ADD INDEX IF NOT EXISTS by_batch batch TYPE bloom_filter GRANULARITY 1
