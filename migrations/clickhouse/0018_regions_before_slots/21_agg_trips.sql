CREATE OR REPLACE VIEW {{database}}.agg_trips AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.agg_trips_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
