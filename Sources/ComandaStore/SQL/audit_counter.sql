-- Takes the number of one audit record.
-- $1 business
UPDATE business_sequences
SET audit_sequence = audit_sequence + 1
WHERE business_id = $1
