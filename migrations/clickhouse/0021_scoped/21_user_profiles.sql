-- One row per user, whatever parts and regions say of it.
CREATE OR REPLACE VIEW scoped_{{database}}.user_profiles SQL SECURITY DEFINER AS
SELECT user_id, registered_at, tupleElement(first, 'role') AS role, tupleElement(first, 'state') AS state,
    tupleElement(first, 'city') AS city, kyc_latest, kyc_ahead, upgraded_at
FROM
(
    SELECT user_id, min(registered_at) AS registered_at, min(home) AS first, max(kyc_latest) AS kyc_latest,
        groupUniqArrayArray(kyc_ahead) AS kyc_ahead, min(upgraded_at) AS upgraded_at
    FROM {{database}}.users_state
    PREWHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND scope = 'region' AND (has(JSONExtract(initialQueryID(), 'states', 'Array(String)'), state) OR has(JSONExtract(initialQueryID(), 'cities', 'Array(Tuple(String, String))'), (state, city)))
    GROUP BY user_id
)
