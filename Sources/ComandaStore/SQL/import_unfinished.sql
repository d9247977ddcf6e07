-- How many imports of a business are not final, counted up to a limit. Who holds the business's counter sees those of
-- everybody who held it before.
-- $1 business, $2 limit
SELECT count(*)
FROM (SELECT import_id FROM imports WHERE business_id = $1 AND state IN (1, 2) LIMIT $2) AS unfinished
