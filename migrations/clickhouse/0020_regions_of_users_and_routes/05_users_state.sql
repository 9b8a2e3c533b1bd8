-- Who reads while the tables change places counts a user once: the readers ask for the total from here on.
ALTER TABLE {{database}}.users_state{{local}} ADD COLUMN IF NOT EXISTS scope Enum8('total' = 0, 'region' = 1) DEFAULT 'total'
