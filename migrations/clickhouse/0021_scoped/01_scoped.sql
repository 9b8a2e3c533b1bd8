-- What callers see who may see some regions only: a database of views with the names of what metrics and analyses read.
-- They show the facts whose region is settled and named in the id of the query, as if there were no others: the rows of
-- scope 'total' are those of the regions once more. Without such an id they show nothing. Their conditions stand in
-- PREWHERE, so that none of the reader's own is tried on rows that are not shown.
CREATE DATABASE IF NOT EXISTS scoped_{{database}}
