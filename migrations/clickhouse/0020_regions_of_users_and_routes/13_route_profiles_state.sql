INSERT INTO {{database}}.route_profiles_state_by_region{{local}} (mark, marked_at, scope, route_id, name, profile)
SELECT mark, marked_at, 'total', route_id, name, profile
FROM {{database}}.route_profiles_state{{local}}
SETTINGS insert_deduplicate = 0
