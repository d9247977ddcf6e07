-- $1 sha256
SELECT
  token_id, business_id, created_at, expires_at, revoked_at, kind, sha256, name, scopes,
  (extract(epoch FROM expires_at - now()) * 1000000)::bigint
FROM tokens
WHERE sha256 = $1
