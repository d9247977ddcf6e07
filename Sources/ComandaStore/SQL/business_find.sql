-- $1 business
SELECT business_id, created_at, name
FROM businesses
WHERE business_id = $1
