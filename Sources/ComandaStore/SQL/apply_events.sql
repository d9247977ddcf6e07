-- Inserts the history's first entry of the orders that the chunk created, numbered in row order.
-- $1 business, $2 import, $3 first row, $4 last row, $5 actor
INSERT INTO order_events (business_id, order_id, actor_id, sequence, occurred_at, revision, to_status, reason)
SELECT
  r.business_id, r.order_id, $5, s.event_sequence + 1 - row_number() OVER (ORDER BY r.row DESC), now(), 1, 1, ''
FROM import_rows r
CROSS JOIN business_sequences s
WHERE r.business_id = $1 AND r.import_id = $2 AND r.row BETWEEN $3 AND $4 AND r.verdict = 1 AND s.business_id = $1
ORDER BY r.row
