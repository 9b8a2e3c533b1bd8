CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.user_activity_from_trip TO {{database}}.user_activity_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, state, city, toStartOfFifteenMinutes(toDateTime(event_timestamp)) AS slot, arrayJoin([rider_id, driver_id]) AS user_id
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_trip
)
GROUP BY mark, scope, state, city, slot, user_id
