ALTER TABLE {{database}}.ingest_gaps{{local}}
MODIFY SETTING merge_selector_base = 16
