-- Claims the request ids of new orders, as request_claim.sql does for one.
-- $1 business, $2 method, $3 request ids, $4 fingerprints, $5 order ids, $6 seconds to remember them
INSERT INTO requests AS r (business_id, method, request_id, fingerprint, response_id, claimed_at, expires_at)
SELECT $1, $2, n.request_id, n.fingerprint, n.order_id, now(), now() + make_interval(secs => $6)
FROM unnest($3::text[], $4::bytea[], $5::uuid[]) AS n (request_id, fingerprint, order_id)
WHERE n.request_id <> ''
ORDER BY n.request_id COLLATE "C"
ON CONFLICT (business_id, method, request_id)
DO UPDATE SET
  fingerprint = excluded.fingerprint, response_id = excluded.response_id, claimed_at = excluded.claimed_at,
  expires_at = excluded.expires_at
WHERE r.expires_at <= excluded.claimed_at
