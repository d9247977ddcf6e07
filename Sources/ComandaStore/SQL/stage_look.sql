-- Where an import stands, and the chunk that begins at the same row, if there is one.
-- $1 business, $2 import, $3 first row of the chunk
SELECT i.state, i.committed_row, c.sha256, c.row_count
FROM imports i
LEFT JOIN import_chunks c ON c.business_id = i.business_id AND c.import_id = i.import_id AND c.first_row = $3
WHERE i.business_id = $1 AND i.import_id = $2
