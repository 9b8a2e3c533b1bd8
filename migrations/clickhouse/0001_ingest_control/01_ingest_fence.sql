-- Whoever finds it empty writes the boot id of this server; a restart empties it. Ids of fenced attempts
-- follow. Every insert checks both, so an attempt that was given up can never start again.
CREATE TABLE IF NOT EXISTS {{database}}.ingest_fence
(
    id UUID
)
ENGINE = Memory
