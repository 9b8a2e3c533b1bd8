-- Every batch leaves a small part in each table that it touches. By default each of them is soon merged, alone,
-- into the large part before it: ten times the merges, and most of the work of a calm day.
ALTER TABLE {{database}}.events_raw{{local}}
MODIFY SETTING merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0, min_parts_to_merge_at_once = 10
