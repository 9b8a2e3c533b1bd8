INSERT INTO {{database}}.user_days_state{{local}} (mark, marked_at, scope, state, city, day, user_id, rode, last_at)
SELECT toUUID('00000000-0000-0000-0000-000000000000') AS mark, toDateTime(0, 'UTC') AS marked_at,
    scope, state, city, toDate(event_timestamp) AS day, driver_id AS person,
    toUInt128(0) AS rode, max(event_timestamp) AS last_at
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(if(is_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', of_state, '') AS state, if(scope = 'region', of_city, '') AS city
    FROM
    (
        SELECT *, region_settled OR settled_state != '' AS is_settled,
            if(region_settled, toString(state), settled_state) AS of_state, if(region_settled, toString(city), settled_city) AS of_city
        FROM {{database}}.location_events{{local}} AS event
        LEFT ANY JOIN
        (
            SELECT kafka_topic, kafka_partition, kafka_offset, toString(state) AS settled_state, toString(city) AS settled_city
            FROM {{database}}.settlements{{local}}
            WHERE (kafka_topic, kafka_partition, kafka_offset) IN
                (SELECT kafka_topic, kafka_partition, kafka_offset FROM {{database}}.location_events{{local}} WHERE NOT region_settled)
        ) AS settlement USING (kafka_topic, kafka_partition, kafka_offset)
    )
)
GROUP BY scope, state, city, day, person
SETTINGS max_partitions_per_insert_block = 0, enable_shared_storage_snapshot_in_query = 1
