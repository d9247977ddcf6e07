-- $1 business, $2 import
INSERT INTO import_appliers (business_id, import_id) VALUES ($1, $2)
