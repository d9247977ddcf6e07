-- Inserts the notification intents of the orders that the chunk created.
-- $1 business, $2 import, $3 first row, $4 last row
INSERT INTO notification_intents (business_id, order_id, created_at, occasion, status, channel)
SELECT business_id, order_id, now(), 1, 1, notification_channel
FROM import_rows
WHERE business_id = $1 AND import_id = $2 AND row BETWEEN $3 AND $4 AND verdict = 1 AND notification_channel <> 1
