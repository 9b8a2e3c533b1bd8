ALTER TABLE {{database}}.payment_events{{local}}
MODIFY SETTING merge_selector_base = 16
