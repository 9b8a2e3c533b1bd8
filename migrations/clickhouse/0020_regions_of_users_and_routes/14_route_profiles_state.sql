-- A route's region is that of its creation, as a settling tells it.
INSERT INTO {{database}}.route_profiles_state_by_region{{local}} (mark, marked_at, scope, state, city, route_id, name, profile)
SELECT mark, marked_at, 'region', told.1, told.2, route_id, name, profile
FROM {{database}}.route_profiles_state{{local}}
INNER JOIN
(
    SELECT id AS route_id, argMin((toString(state), toString(city)), (event_timestamp, kafka_topic, kafka_offset)) AS told
    FROM {{database}}.region_sources{{local}}
    WHERE kind = 'route'
    GROUP BY id
) AS source USING (route_id)
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
SETTINGS insert_deduplicate = 0
