-- Inserts the payment intents of those new orders that were inserted: cash is paid without us, and nothing needs no
-- payment.
-- $1 business, $2 order ids
INSERT INTO payment_intents (business_id, order_id, created_at, amount, part, status, method, currency)
SELECT business_id, order_id, created_at, total, 1, 1, payment_method, currency
FROM orders
WHERE business_id = $1 AND order_id = ANY ($2::uuid[]) AND payment_method <> 2 AND total > 0
