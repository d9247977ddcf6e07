-- $1 business, $2 now, $3 name
INSERT INTO businesses (business_id, created_at, name)
VALUES ($1, $2, $3)
ON CONFLICT (business_id) DO NOTHING
