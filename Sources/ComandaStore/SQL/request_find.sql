-- $1 business, $2 method, $3 request id
SELECT fingerprint, response_id
FROM requests
WHERE business_id = $1 AND method = $2 AND request_id = $3
