CREATE OR REPLACE VIEW scoped_{{database}}.location_events SQL SECURITY DEFINER AS
SELECT *
FROM {{database}}.location_events
PREWHERE region_settled AND (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
