-- What only expired events said: a registration by its time, and a status, whose time is not known, as older than all
-- that are. It may be written again.
INSERT INTO {{database}}.users_state{{local}} (mark, marked_at, user_id, home, kyc_latest)
SELECT toUUID('00000000-0000-0000-0000-000000000000') AS mark, toDateTime(0, 'UTC') AS marked_at, user_id,
    if(is_homeless, (first_at, toUUID('00000000-0000-0000-0000-000000000000'), first_home.1, first_home.2, first_home.3), known_home) AS home,
    if(is_undecided, (toDateTime64(1, 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), status), known_kyc) AS kyc_latest
FROM
(
    SELECT user_id, materialize(home) AS known_home, materialize(kyc_latest) AS known_kyc,
        finalizeAggregation(kyc) AS status, finalizeAggregation(registration) AS first_home,
        ifNull(registered_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')) AS first_at,
        tupleElement(known_home, 'at') > first_at AS is_homeless,
        status != '' AND tupleElement(known_kyc, 'status') = '' AND empty(kyc_ahead) AS is_undecided
    FROM {{database}}.users_state{{local}} FINAL
    WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
)
WHERE is_homeless OR is_undecided
