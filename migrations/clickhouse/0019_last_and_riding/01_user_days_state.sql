-- Bit n of `rode` stands for the n-th quarter of an hour of the day in which a booking or trip event names the user, other
-- than a cancellation. `last_at` is the time of the last event of the day that names the user.
ALTER TABLE {{database}}.user_days_state{{local}}
ADD COLUMN IF NOT EXISTS rode SimpleAggregateFunction(groupBitOr, UInt128),
ADD COLUMN IF NOT EXISTS last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
