-- Role and region at the first registration, and the latest KYC status, as plain values that merge: the least and the
-- greatest tuple, told apart by time, then id. Without a registration `home` lies in the far future. A status whose
-- time was ahead when it was decided upon stands apart, since it counts only from its time on.
ALTER TABLE {{database}}.users_state{{local}}
ADD COLUMN IF NOT EXISTS home SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), event_id UUID, role String, state String, city String))
    DEFAULT (toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), '', '', ''),
ADD COLUMN IF NOT EXISTS kyc_latest SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String)),
ADD COLUMN IF NOT EXISTS kyc_ahead SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String)))
