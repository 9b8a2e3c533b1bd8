-- One row per (quarter of an hour, user), for readers that want no bits.
CREATE OR REPLACE VIEW {{database}}.user_activity AS
SELECT scope, state, city, toDateTime(day, 'UTC') + INTERVAL arrayJoin(bitPositionsToArray(slots)) * 900 SECOND AS slot, user_id
FROM {{database}}.user_days_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
