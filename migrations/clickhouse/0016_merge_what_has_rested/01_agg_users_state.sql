-- Parts of the same size wait until there are ten of them, and until then each question reads the same key from each. Neighbours
-- that have both rested for an hour become one, and nothing is merged beyond 2 GiB: so much is written anew each time at
-- most. Of live traffic, only the rows of the last days are in several parts; of a backlog, all are.
ALTER TABLE {{database}}.agg_users_state{{local}}
MODIFY SETTING min_age_to_force_merge_seconds = 3600, max_bytes_to_merge_at_max_space_in_pool = 2147483648, enable_max_bytes_limit_for_min_age_to_force_merge = 1
