-- Inserts the payment intents of the orders that the chunk created: cash is paid without us, nothing needs no payment.
-- $1 business, $2 import, $3 first row, $4 last row
INSERT INTO payment_intents (business_id, order_id, created_at, amount, part, status, method, currency)
SELECT business_id, order_id, now(), total, 1, 1, payment_method, currency
FROM import_rows
WHERE business_id = $1 AND import_id = $2 AND row BETWEEN $3 AND $4 AND verdict = 1
  AND payment_method <> 2 AND total > 0
