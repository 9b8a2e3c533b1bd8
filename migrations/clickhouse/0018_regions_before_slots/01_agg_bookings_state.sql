-- A question about a region finds its rows together; by slot first, it reads those of all regions. A copy takes the
-- table's place once it is whole. Here goes that of a run that was cut short: before the exchange and after it, all rows
-- are in the table of the name. Tables of which a question about a region reads little keep their order.
DROP TABLE IF EXISTS {{database}}.agg_bookings_state_by_region{{local}}
SETTINGS max_table_size_to_drop = 0
