ALTER TABLE {{database}}.users_from_user MODIFY QUERY
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, state, city, user_id,
    minIf(toNullable(event_timestamp), event_type = 'user.registered' AND mark = toUUID('00000000-0000-0000-0000-000000000000')) AS registered_at,
    min(if(event_type = 'user.registered' AND mark = toUUID('00000000-0000-0000-0000-000000000000'), (event_timestamp, event_id, ifNull(role, ''), toString(of_state), toString(of_city)), (toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), '', '', ''))::Tuple(at DateTime64(3, 'UTC'), event_id UUID, role String, state String, city String)) AS home,
    max(if(event_type = 'user.kyc_verified' AND event_timestamp <= decided_at, (event_timestamp, event_id, ifNull(toString(kyc_status), '')), (toDateTime64(0, 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), ''))::Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String)) AS kyc_latest,
    groupUniqArrayIf((event_timestamp, event_id, ifNull(toString(kyc_status), ''))::Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String), event_type = 'user.kyc_verified' AND event_timestamp > decided_at) AS kyc_ahead,
    minIf(toNullable(event_timestamp), event_type = 'user.upgraded_to_driver') AS upgraded_at
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', of_state, '') AS state, if(scope = 'region', of_city, '') AS city
    FROM (SELECT *, state AS of_state, city AS of_city FROM {{database}}.in_user)
)
GROUP BY mark, scope, state, city, user_id
