-- All but the platform itself.
-- $1 limit
SELECT business_id, created_at, name
FROM businesses
WHERE business_id <> '00000000-0000-0000-0000-000000000000'
ORDER BY created_at, business_id
LIMIT $1
