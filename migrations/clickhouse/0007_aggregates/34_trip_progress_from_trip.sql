CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.trip_progress_from_trip TO {{database}}.trip_progress_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, state, city, trip_id,
    maxIf(toNullable(event_timestamp), event_type = 'trip.started') AS started_at,
    maxIf(toNullable(event_timestamp), event_type IN ('trip.completed', 'trip.cancelled')) AS ended_at,
    max(toDateTime(event_timestamp)) AS seen_at
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_trip
)
WHERE (NOT clock_skew AND event_timestamp > decided_at - INTERVAL 2 DAY) OR mark != toUUID('00000000-0000-0000-0000-000000000000')
GROUP BY mark, scope, state, city, trip_id
