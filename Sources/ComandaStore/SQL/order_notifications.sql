-- Inserts the notification intents of those new orders that were inserted.
-- $1 business, $2 order ids
INSERT INTO notification_intents (business_id, order_id, created_at, occasion, status, channel)
SELECT $1, n.order_id, o.created_at, 1, 1, o.notification_channel
FROM unnest($2::uuid[]) AS n (order_id)
CROSS JOIN LATERAL (SELECT * FROM orders WHERE business_id = $1 AND order_id = n.order_id LIMIT 1) AS o
WHERE o.notification_channel <> 1
