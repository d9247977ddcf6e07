-- Failed and unchanged rows: as import_rows.sql, but out of the index that holds nothing else.
-- $1 business, $2 import, $3 after this row, $4 limit, $5 outcomes, of 2 and 3
SELECT
  p.row, p.verdict, p.external_id, p.order_id, p.problem_fields, p.problem_codes, p.problem_messages, p.problem_lines,
  CASE WHEN p.verdict = 3 THEN substring(c.source FROM p.source_start + 1 FOR p.source_length) END, p.listed
FROM (
  SELECT
    matching.*, count(*) OVER () AS listed,
    sum(CASE WHEN verdict = 3 THEN
      source_length + octet_length(array_to_string(problem_fields || problem_codes || problem_messages, '')) END)
      OVER (ORDER BY row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
  FROM (
    SELECT *
    FROM import_rows
    WHERE business_id = $1 AND import_id = $2 AND row > $3 AND verdict <> 1 AND verdict = ANY ($5::smallint[])
    ORDER BY row
    LIMIT $4
  ) AS matching
) AS p
LEFT JOIN import_chunks c ON c.business_id = $1 AND c.import_id = $2 AND c.first_row = p.chunk_first_row
WHERE coalesce(p.bytes_before, 0) < 1048576
ORDER BY p.row
