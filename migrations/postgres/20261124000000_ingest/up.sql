-- Where the ingestor stands in every Kafka partition, and the batches that it has promised to write.

CREATE TABLE ingest_lane (
    topic            text        NOT NULL,
    partition        integer     NOT NULL,
    -- the first offset that this platform answers for
    first_offset     bigint      NOT NULL,
    -- everything before it is durable in ClickHouse
    next_offset      bigint      NOT NULL,
    -- raised by every take-over; a batch is opened only under the epoch of its member
    epoch            bigint      NOT NULL DEFAULT 0,
    owner            text,
    open_batch       uuid,
    -- Kafka's end of the partition, and the time up to which arrivals are durable
    end_offset       bigint,
    complete_through timestamptz,
    heartbeat_at     timestamptz,
    stopped_reason   text,
    PRIMARY KEY (topic, partition),
    CHECK (next_offset >= first_offset)
);

CREATE TABLE ingest_batch (
    id              uuid        PRIMARY KEY,
    owner           text        NOT NULL,
    codec           integer     NOT NULL,
    decided_at      timestamptz NOT NULL,
    -- how many offsets back a duplicate is looked for
    dedup_window    bigint      NOT NULL,
    -- the age limits that applied, in milliseconds
    age_limits      jsonb       NOT NULL,
    attempt         integer     NOT NULL DEFAULT 1,
    state           text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    opened_at       timestamptz NOT NULL,
    closed_at       timestamptz
);
CREATE INDEX ingest_batch_open ON ingest_batch (opened_at) WHERE state = 'open';
CREATE INDEX ingest_batch_closed ON ingest_batch (closed_at) WHERE state = 'done';

CREATE TABLE ingest_range (
    batch_id  uuid    NOT NULL REFERENCES ingest_batch (id) ON DELETE CASCADE,
    topic     text    NOT NULL,
    partition integer NOT NULL,
    -- first and last offset, both inclusive; control records included
    lo        bigint  NOT NULL,
    hi        bigint  NOT NULL,
    records   bigint  NOT NULL,
    -- xxh3 over the offsets and bytes of the range
    hash      bigint  NOT NULL,
    -- what a second look could see differently: duplicates, reused ids, gaps
    verdicts  jsonb   NOT NULL,
    parked    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (batch_id, topic, partition),
    CHECK (hi >= lo)
);

CREATE TABLE settle_batch (
    id          uuid        PRIMARY KEY,
    owner       text        NOT NULL,
    settled_at  timestamptz NOT NULL,
    -- the waiting buckets that it takes, and the bucket for what is left over
    buckets     jsonb       NOT NULL,
    attempt     integer     NOT NULL DEFAULT 1,
    state       text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'applied', 'done')),
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz
);
-- one settling at a time
CREATE UNIQUE INDEX settle_batch_one ON settle_batch ((true)) WHERE state <> 'done';

-- Up to which bucket of `decided_at` waiting facts may have been taken. Opening a batch reads it shared, raising it
-- locks it, so no batch can add facts to a bucket that was taken.
CREATE TABLE settle_horizon (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    bucket    bigint  NOT NULL,
    -- the last bucket that was given to facts left over
    left_over bigint  NOT NULL
);
INSERT INTO settle_horizon (bucket, left_over) VALUES (0, 0);
