-- One audit record for each of those new orders that were inserted; the digest is that of the order's content.
-- $1 business, $2 order ids, $3 actors, $4 method, $5 request ids
INSERT INTO audit_records (business_id, sequence, actor_id, subject_id, occurred_at, method, request_id, digest)
SELECT
  $1, s.audit_sequence + 1 - row_number() OVER (ORDER BY n.order_id DESC), n.actor, n.order_id, o.created_at, $4,
  n.request_id, o.fingerprint
FROM unnest($2::uuid[], $3::uuid[], $5::text[]) AS n (order_id, actor, request_id)
CROSS JOIN LATERAL (
  SELECT created_at, fingerprint FROM orders WHERE business_id = $1 AND order_id = n.order_id LIMIT 1
) AS o
CROSS JOIN business_sequences s
WHERE s.business_id = $1
