-- Inserts the history's first entry of those new orders that were inserted.
-- $1 business, $2 order ids, $3 actors
INSERT INTO order_events (business_id, order_id, actor_id, sequence, occurred_at, revision, to_status, reason)
SELECT
  o.business_id, o.order_id, n.actor, s.event_sequence + 1 - row_number() OVER (ORDER BY o.order_id DESC), o.created_at,
  1, 1, ''
FROM unnest($2::uuid[], $3::uuid[]) AS n (order_id, actor)
JOIN orders o ON o.business_id = $1 AND o.order_id = n.order_id
JOIN business_sequences s ON s.business_id = o.business_id
WHERE s.business_id = $1
