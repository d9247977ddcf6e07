-- Remembers a request unless it is remembered already; one that has expired is forgotten. Waits for a transaction that
-- claims the same request at the moment.
-- $1 business, $2 method, $3 request id, $4 fingerprint, $5 response, $6 seconds to remember it
INSERT INTO requests AS r (business_id, method, request_id, fingerprint, response_id, claimed_at, expires_at)
VALUES ($1, $2, $3, $4, $5, now(), now() + make_interval(secs => $6))
ON CONFLICT (business_id, method, request_id)
DO UPDATE SET
  fingerprint = excluded.fingerprint, response_id = excluded.response_id, claimed_at = excluded.claimed_at,
  expires_at = excluded.expires_at
WHERE r.expires_at <= excluded.claimed_at
