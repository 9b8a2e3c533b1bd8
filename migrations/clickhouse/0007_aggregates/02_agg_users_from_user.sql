CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.agg_users_from_user TO {{database}}.agg_users_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, toStartOfFifteenMinutes(toDateTime(event_timestamp)) AS slot, state, city,
    countIf(event_type = 'user.registered' AND mark = toUUID('00000000-0000-0000-0000-000000000000')) AS registered,
    countIf(kyc_status = 'VERIFIED') AS kyc_verified,
    countIf(kyc_status = 'REJECTED') AS kyc_rejected,
    countIf(event_type = 'user.upgraded_to_driver') AS upgraded
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_user
)
GROUP BY mark, scope, slot, state, city
