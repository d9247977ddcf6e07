-- $1 token, $2 now
UPDATE tokens
SET revoked_at = coalesce(revoked_at, $2)
WHERE token_id = $1
RETURNING token_id, business_id, created_at, expires_at, revoked_at, kind, sha256, name, scopes
