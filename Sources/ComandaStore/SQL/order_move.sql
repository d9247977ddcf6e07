-- $1 business, $2 order, $3 status, $4 now
UPDATE orders
SET status = $3, revision = revision + 1, updated_at = $4
WHERE business_id = $1 AND order_id = $2
