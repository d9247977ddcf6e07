-- Appends the audit record whose number this transaction has taken.
-- $1 business, $2 actor, $3 subject, $4 time, $5 method, $6 request id, $7 detail
INSERT INTO audit_records (business_id, sequence, actor_id, subject_id, occurred_at, method, request_id, detail)
SELECT business_id, audit_sequence, $2, $3, $4, $5, $6, $7
FROM business_sequences
WHERE business_id = $1
