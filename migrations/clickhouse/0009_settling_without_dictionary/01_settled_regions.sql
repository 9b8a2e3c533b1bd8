-- Settling reads the settlements itself.
DROP DICTIONARY IF EXISTS {{database}}.settled_regions
