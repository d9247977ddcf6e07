-- Takes the sequence numbers of the chunk's orders and of its audit record; from here to the commit the business's
-- other writers wait.
-- $1 business, $2 import, $3 first row, $4 last row
UPDATE business_sequences
SET
  event_sequence = event_sequence + (
    SELECT count(*) FROM import_rows
    WHERE business_id = $1 AND import_id = $2 AND row BETWEEN $3 AND $4 AND verdict = 1),
  audit_sequence = audit_sequence + 1
WHERE business_id = $1
