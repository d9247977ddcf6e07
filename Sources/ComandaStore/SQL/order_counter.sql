-- Takes the numbers of those new orders that were inserted: one for the history and one for the audit each. From here
-- to the commit the business's other writers wait.
-- $1 business, $2 order ids
UPDATE business_sequences s
SET event_sequence = s.event_sequence + n.inserted, audit_sequence = s.audit_sequence + n.inserted
FROM (SELECT count(*) AS inserted FROM orders WHERE business_id = $1 AND order_id = ANY ($2::uuid[])) AS n
WHERE s.business_id = $1
