-- What the stored events say. It may be written again.
INSERT INTO {{database}}.users_state{{local}} (mark, marked_at, user_id, home, kyc_latest, kyc_ahead)
SELECT toUUID('00000000-0000-0000-0000-000000000000') AS mark, toDateTime(0, 'UTC') AS marked_at, user_id,
    min(if(event_type = 'user.registered', (event_timestamp, event_id, ifNull(role, ''), toString(state), toString(city)), (toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), '', '', ''))::Tuple(at DateTime64(3, 'UTC'), event_id UUID, role String, state String, city String)) AS home,
    max(if(event_type = 'user.kyc_verified' AND event_timestamp <= decided_at, (event_timestamp, event_id, ifNull(toString(kyc_status), '')), (toDateTime64(0, 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), ''))::Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String)) AS kyc_latest,
    groupUniqArrayIf((event_timestamp, event_id, ifNull(toString(kyc_status), ''))::Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String), event_type = 'user.kyc_verified' AND event_timestamp > decided_at) AS kyc_ahead
FROM {{database}}.user_events{{local}}
GROUP BY user_id
