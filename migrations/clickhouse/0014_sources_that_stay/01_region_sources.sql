-- An account and a route may have events at any age, which take the region of its registration or its origin: those
-- stay. A ride and a payment are over long before the events that ask for them could be too old.
ALTER TABLE {{database}}.region_sources{{local}}
MODIFY TTL toDateTime(event_timestamp) + INTERVAL 194 DAY DELETE WHERE kind IN ('ride', 'payment')
