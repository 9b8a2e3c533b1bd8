ALTER TABLE settle_horizon ADD COLUMN left_over bigint NOT NULL DEFAULT 0;
