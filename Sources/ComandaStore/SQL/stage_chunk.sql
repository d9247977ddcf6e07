-- $1 business, $2 import, $3 first row, $4 rows, $5 failed rows, $6 sha256, $7 source lines
INSERT INTO import_chunks (business_id, import_id, first_row, staged_at, row_count, failed_rows, sha256, source)
VALUES ($1, $2, $3, now(), $4, $5, $6, $7)
