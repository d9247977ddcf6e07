-- What became of new orders: the order that has the external id now, and the request that has the request id.
-- $1 business, $2 method, $3 external ids, $4 request ids
SELECT n.position, o.order_id, o.fingerprint, r.fingerprint, r.response_id
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS n (external_id, request_id, position)
LEFT JOIN orders o ON o.business_id = $1 AND o.external_id = n.external_id
LEFT JOIN requests r ON r.business_id = $1 AND r.method = $2 AND r.request_id = n.request_id
