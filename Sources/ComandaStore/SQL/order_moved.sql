-- $1 business, $2 order, $3 actor, $4 now, $5 revision, $6 status before, $7 status after, $8 reason
INSERT INTO order_events (
  business_id, order_id, actor_id, sequence, occurred_at, revision, from_status, to_status, reason)
SELECT business_id, $2, $3, event_sequence, $4, $5, $6, $7, $8
FROM business_sequences
WHERE business_id = $1
