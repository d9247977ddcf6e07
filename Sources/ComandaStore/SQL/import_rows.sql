-- Rows in order, with what became of them; failed ones with their source lines, cut where these and the problems reach
-- a megabyte. listed says how many rows there were before that cut.
-- $1 business, $2 import, $3 after this row, $4 limit, $5 applied row, $6 whether the import has ended, $7 outcomes
SELECT
  p.row, p.outcome, p.external_id, p.order_id, p.problem_fields, p.problem_codes, p.problem_messages, p.problem_lines,
  CASE WHEN p.outcome = 3 THEN substring(c.source FROM p.source_start + 1 FOR p.source_length) END, p.listed
FROM (
  SELECT
    matching.*, count(*) OVER () AS listed,
    sum(CASE WHEN outcome = 3 THEN
      source_length + octet_length(array_to_string(problem_fields || problem_codes || problem_messages, '')) END)
      OVER (ORDER BY row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
  FROM (
    SELECT *
    FROM import_rows
    CROSS JOIN LATERAL (
      SELECT (CASE
        WHEN verdict IN (2, 3) THEN verdict
        WHEN row <= $5 THEN 1
        WHEN $6 THEN 4
        ELSE 0
      END)::smallint AS outcome
    ) AS known
    WHERE business_id = $1 AND import_id = $2 AND row > $3 AND outcome = ANY ($7::smallint[])
    ORDER BY row
    LIMIT $4
  ) AS matching
) AS p
LEFT JOIN import_chunks c ON c.business_id = $1 AND c.import_id = $2 AND c.first_row = p.chunk_first_row
WHERE coalesce(p.bytes_before, 0) < 1048576
ORDER BY p.row
