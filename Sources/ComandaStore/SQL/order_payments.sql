-- Inserts the payment intents of those new orders that were inserted: cash is paid without us, and nothing needs no
-- payment.
-- $1 business, $2 order ids
INSERT INTO payment_intents (business_id, order_id, created_at, amount, part, status, method, currency)
SELECT $1, n.order_id, o.created_at, o.total, 1, 1, o.payment_method, o.currency
FROM unnest($2::uuid[]) AS n (order_id)
CROSS JOIN LATERAL (SELECT * FROM orders WHERE business_id = $1 AND order_id = n.order_id LIMIT 1) AS o
WHERE o.payment_method <> 2 AND o.total > 0
