-- What a canceled order owes is not to be paid any more.
-- $1 business, $2 order
UPDATE payment_intents
SET status = 2
WHERE business_id = $1 AND order_id = $2 AND status = 1
