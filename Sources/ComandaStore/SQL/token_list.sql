-- $1 business or null
SELECT token_id, business_id, created_at, expires_at, revoked_at, kind, sha256, name, scopes
FROM tokens
WHERE $1::uuid IS NULL OR business_id = $1
ORDER BY created_at, token_id
