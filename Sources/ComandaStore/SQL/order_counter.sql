-- Takes the numbers of those new orders that were inserted: one for the history and one for the audit each. From here
-- to the commit the business's other writers wait.
-- $1 business, $2 order ids
UPDATE business_sequences s
SET event_sequence = s.event_sequence + inserted.orders, audit_sequence = s.audit_sequence + inserted.orders
FROM (
  SELECT count(*) AS orders
  FROM unnest($2::uuid[]) AS n (order_id)
  CROSS JOIN LATERAL (SELECT FROM orders WHERE business_id = $1 AND order_id = n.order_id LIMIT 1) AS o
) AS inserted
WHERE s.business_id = $1
