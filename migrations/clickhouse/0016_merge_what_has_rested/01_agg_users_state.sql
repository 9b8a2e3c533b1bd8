-- Parts of an aggregate that are like each other wait for ten of their size, and a question adds up their rows again
-- until they meet. What has not changed for five minutes becomes one part, or parts of 2 GiB, which bounds what is
-- written anew each time.
ALTER TABLE {{database}}.agg_users_state{{local}}
MODIFY SETTING min_age_to_force_merge_seconds = 300, max_bytes_to_merge_at_max_space_in_pool = 2147483648, enable_max_bytes_limit_for_min_age_to_force_merge = 1
