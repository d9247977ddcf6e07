-- $1 business
INSERT INTO business_sequences (business_id)
VALUES ($1)
ON CONFLICT (business_id) DO NOTHING
