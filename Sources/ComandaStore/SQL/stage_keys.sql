-- Gives external ids to the rows of the chunk that are the first to have them.
-- $1 business, $2 import, $3 external ids, $4 their rows
INSERT INTO import_keys (business_id, import_id, row, external_id)
SELECT $1, $2, k.row, k.external_id
FROM unnest($3::text[], $4::bigint[]) AS k (external_id, row)
ORDER BY k.external_id COLLATE "C"
