CREATE OR REPLACE VIEW scoped_{{database}}.user_events SQL SECURITY DEFINER AS
SELECT * EXCEPT (phone, full_name, email, verification_notes, verified_by)
FROM {{database}}.user_events
PREWHERE region_settled AND (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
