-- $1 sha256
SELECT token_id, business_id, created_at, expires_at, revoked_at, kind, sha256, name, scopes
FROM tokens
WHERE sha256 = $1
