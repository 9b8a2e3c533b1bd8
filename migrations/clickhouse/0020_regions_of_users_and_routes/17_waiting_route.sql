-- What an event calls its route, which the region's row of the route tells too.
ALTER TABLE {{database}}.waiting_route{{local}} ADD COLUMN IF NOT EXISTS route_name String
