-- Who drove, as plain values that merge: a state of `uniqExact` is a hash table for each row that is read, and most rows
-- hold one or two drivers.
ALTER TABLE {{database}}.agg_trips_state{{local}}
ADD COLUMN IF NOT EXISTS driver_ids SimpleAggregateFunction(groupUniqArrayArray, Array(UUID))
