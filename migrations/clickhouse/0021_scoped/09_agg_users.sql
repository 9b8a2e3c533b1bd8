CREATE OR REPLACE VIEW scoped_{{database}}.agg_users SQL SECURITY DEFINER AS
SELECT 'total'::Enum8('total' = 0, 'region' = 1) AS scope, '' AS state, '' AS city, * EXCEPT (state, city)
FROM
(
    SELECT * EXCEPT (mark, marked_at, scope)
    FROM {{database}}.agg_users_state
    PREWHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND scope = 'region' AND (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
)
UNION ALL
SELECT 'region'::Enum8('total' = 0, 'region' = 1) AS scope, toString(state) AS state, toString(city) AS city, * EXCEPT (state, city)
FROM
(
    SELECT * EXCEPT (mark, marked_at, scope)
    FROM {{database}}.agg_users_state
    PREWHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND scope = 'region' AND (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
)
