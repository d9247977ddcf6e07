-- Inserts the history's first entry of those new orders that were inserted.
-- $1 business, $2 order ids, $3 actors
INSERT INTO order_events (business_id, order_id, actor_id, sequence, occurred_at, revision, to_status, reason)
SELECT
  $1, n.order_id, n.actor, s.event_sequence + 1 - row_number() OVER (ORDER BY n.order_id DESC), o.created_at, 1, 1, ''
FROM unnest($2::uuid[], $3::uuid[]) AS n (order_id, actor)
CROSS JOIN LATERAL (SELECT created_at FROM orders WHERE business_id = $1 AND order_id = n.order_id LIMIT 1) AS o
CROSS JOIN business_sequences s
WHERE s.business_id = $1
