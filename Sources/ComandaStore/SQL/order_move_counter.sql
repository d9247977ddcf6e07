-- Takes the numbers of one change and of its audit record.
-- $1 business
UPDATE business_sequences
SET event_sequence = event_sequence + 1, audit_sequence = audit_sequence + 1
WHERE business_id = $1
