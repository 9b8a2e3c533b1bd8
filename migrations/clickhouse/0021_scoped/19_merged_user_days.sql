-- One row per day and user, whatever parts and regions say of it.
CREATE OR REPLACE VIEW scoped_{{database}}.merged_user_days SQL SECURITY DEFINER AS
SELECT 'total'::Enum8('total' = 0, 'region' = 1) AS scope, '' AS state, '' AS city, day, user_id, groupBitOr(slots) AS slots
FROM
(
    SELECT day, user_id, slots
    FROM {{database}}.user_days_state
    PREWHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND scope = 'region' AND (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
)
GROUP BY day, user_id
