CREATE OR REPLACE VIEW scoped_{{database}}.settlements SQL SECURITY DEFINER AS
SELECT *
FROM {{database}}.settlements
PREWHERE (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
