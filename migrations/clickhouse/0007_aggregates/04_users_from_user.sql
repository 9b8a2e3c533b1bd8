CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.users_from_user TO {{database}}.users_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    user_id,
    minIf(toNullable(event_timestamp), event_type = 'user.registered' AND mark = toUUID('00000000-0000-0000-0000-000000000000')) AS registered_at,
    argMinStateIf((ifNull(role, ''), toString(state), toString(city))::Tuple(role String, state String, city String), (event_timestamp, event_id), event_type = 'user.registered' AND mark = toUUID('00000000-0000-0000-0000-000000000000')) AS registration,
    argMaxStateIf(ifNull(toString(kyc_status), ''), (event_timestamp, event_id), event_type = 'user.kyc_verified') AS kyc,
    minIf(toNullable(event_timestamp), event_type = 'user.upgraded_to_driver') AS upgraded_at
FROM {{database}}.in_user
WHERE phase = 'ingest'
GROUP BY mark, user_id
