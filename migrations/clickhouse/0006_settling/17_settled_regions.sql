-- Looks settled regions up by place, for the update of the domain rows. It keeps nothing in memory.
CREATE DICTIONARY IF NOT EXISTS {{database}}.settled_regions
(
    kafka_topic String,
    kafka_partition UInt32,
    kafka_offset UInt64,
    state String,
    city String
)
PRIMARY KEY kafka_topic, kafka_partition, kafka_offset
SOURCE(CLICKHOUSE(DB '{{database}}' TABLE 'settlements'))
LAYOUT(COMPLEX_KEY_DIRECT())
