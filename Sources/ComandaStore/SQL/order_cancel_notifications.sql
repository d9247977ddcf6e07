-- What the customer of a canceled order was to be told is not to be told any more.
-- $1 business, $2 order
UPDATE notification_intents
SET status = 2
WHERE business_id = $1 AND order_id = $2 AND status = 1
