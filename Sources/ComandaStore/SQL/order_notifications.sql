-- Inserts the notification intents of those new orders that were inserted.
-- $1 business, $2 order ids
INSERT INTO notification_intents (business_id, order_id, created_at, occasion, status, channel)
SELECT business_id, order_id, created_at, 1, 1, notification_channel
FROM orders
WHERE business_id = $1 AND order_id = ANY ($2::uuid[]) AND notification_channel <> 1
