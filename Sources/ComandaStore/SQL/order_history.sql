-- $1 business, $2 order
SELECT sequence, revision, from_status, to_status, occurred_at, actor_id, reason
FROM order_events
WHERE business_id = $1 AND order_id = $2
ORDER BY revision
