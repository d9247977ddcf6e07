-- One audit record for each of those new orders that were inserted; the digest is that of the order's content.
-- $1 business, $2 order ids, $3 actors, $4 method, $5 request ids
INSERT INTO audit_records (business_id, sequence, actor_id, subject_id, occurred_at, method, request_id, digest)
SELECT
  o.business_id, s.audit_sequence + 1 - row_number() OVER (ORDER BY o.order_id DESC), n.actor, o.order_id,
  o.created_at, $4, n.request_id, o.fingerprint
FROM unnest($2::uuid[], $3::uuid[], $5::text[]) AS n (order_id, actor, request_id)
JOIN orders o ON o.business_id = $1 AND o.order_id = n.order_id
JOIN business_sequences s ON s.business_id = o.business_id
WHERE s.business_id = $1
