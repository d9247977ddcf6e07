-- Inserts the items of the orders that the chunk created.
-- $1 business, $2 import, $3 first row, $4 last row
INSERT INTO order_items (business_id, order_id, quantity, total, unit_price, line, name, sku, note)
SELECT
  r.business_id, r.order_id, r.item_numbers[3 * i + 1], r.item_numbers[3 * i + 3], r.item_numbers[3 * i + 2], i + 1,
  r.item_texts[3 * i + 1], r.item_texts[3 * i + 2], r.item_texts[3 * i + 3]
FROM import_rows r
CROSS JOIN LATERAL generate_series(0, cardinality(r.item_numbers) / 3 - 1) AS i
WHERE r.business_id = $1 AND r.import_id = $2 AND r.row BETWEEN $3 AND $4 AND r.verdict = 1
