-- $1 business, $2 import
INSERT INTO import_appliers (business_id, import_id)
SELECT business_id, import_id FROM imports WHERE business_id = $1 AND import_id = $2
