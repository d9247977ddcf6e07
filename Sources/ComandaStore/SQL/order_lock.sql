-- $1 business, $2 order
SELECT status, fulfilment, revision
FROM orders
WHERE business_id = $1 AND order_id = $2
FOR UPDATE
