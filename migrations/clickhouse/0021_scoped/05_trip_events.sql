CREATE OR REPLACE VIEW scoped_{{database}}.trip_events SQL SECURITY DEFINER AS
SELECT *, distance_m
FROM {{database}}.trip_events
PREWHERE region_settled AND (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
