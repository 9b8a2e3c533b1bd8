-- For its choice, a merge counts every part as 5 MB larger than it is. By default it takes the large part of a table of
-- some 20 MB along, each time, and so writes all of the table anew for every ten batches.
ALTER TABLE {{database}}.events_raw{{local}}
MODIFY SETTING merge_selector_base = 16
