-- The rows of an import that hold some of these external ids. Each id is looked up by itself: LIMIT keeps the planner
-- from any other way.
-- $1 business, $2 import, $3 external ids
SELECT wanted.external_id, r.row, r.fingerprint, r.first_line
FROM unnest($3::text[]) AS wanted (external_id)
CROSS JOIN LATERAL (
  SELECT row FROM import_keys
  WHERE business_id = $1 AND import_id = $2 AND external_id = wanted.external_id
  LIMIT 1
) AS k
CROSS JOIN LATERAL (
  SELECT row, fingerprint, first_line FROM import_rows
  WHERE business_id = $1 AND import_id = $2 AND row = k.row
  LIMIT 1
) AS r
