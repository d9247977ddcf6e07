-- What became of new orders: the order that has the external id now, and the request that has the request id.
-- $1 business, $2 method, $3 external ids, $4 request ids
SELECT n.position, o.order_id, o.fingerprint, r.fingerprint, r.response_id
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS n (external_id, request_id, position)
LEFT JOIN LATERAL (
  SELECT order_id, fingerprint FROM orders WHERE business_id = $1 AND external_id = n.external_id LIMIT 1
) AS o ON true
LEFT JOIN LATERAL (
  SELECT fingerprint, response_id FROM requests
  WHERE business_id = $1 AND method = $2 AND request_id = n.request_id
  LIMIT 1
) AS r ON true
