ALTER TABLE {{database}}.ingest_ledger{{local}}
MODIFY SETTING merge_selector_base = 16
