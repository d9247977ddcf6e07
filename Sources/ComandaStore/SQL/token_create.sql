-- $1 token, $2 business or null, $3 created, $4 expires, $5 kind, $6 sha256, $7 name, $8 scopes
INSERT INTO tokens (token_id, business_id, created_at, expires_at, kind, sha256, name, scopes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
