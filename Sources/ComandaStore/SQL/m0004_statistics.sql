-- What the planner believes of tables that nobody has analysed yet.
--
-- Every index begins with business_id. Without statistics the planner takes that alone for selective: all indexes of a
-- table look alike to it, it takes the youngest, and a statement that was planned on an empty table reads a whole
-- business for each order for as long as its connection lasts. So it is shown tables in which all rows are one
-- business's and all else differs. ANALYZE keeps what it saw when the rows are gone again, until it sees real ones.
-- (The ids of the businesses differ too, under an n_distinct that says they do not: a business that is not among the
-- most common values must not look rare.)
--
-- Tables that have rows already, because the schema is older than this migration, are left alone.

ALTER TABLE orders ALTER COLUMN business_id SET (n_distinct = 1);
ALTER TABLE order_events ALTER COLUMN business_id SET (n_distinct = 1);
ALTER TABLE import_rows ALTER COLUMN business_id SET (n_distinct = 1);
ALTER TABLE import_rows ALTER COLUMN import_id SET (n_distinct = 1);

DO $body$
BEGIN
  LOCK TABLE orders, order_events, import_rows IN ACCESS EXCLUSIVE MODE;
  IF NOT EXISTS (SELECT FROM orders) AND NOT EXISTS (SELECT FROM order_events) AND NOT EXISTS (SELECT FROM import_rows)
  THEN
    INSERT INTO orders (
      business_id, order_id, placed_at, created_at, updated_at, subtotal, delivery, total, revision, item_count, status,
      fulfilment, payment_method, notification_channel, fingerprint_version, fingerprint, currency, external_id,
      customer_name, customer_phone, customer_email, delivery_address, delivery_instructions, note)
    SELECT
      id, id, now() + make_interval(secs => n), now(), now(), n, 0, n, 1, 1, 1, 1, 1, 1, 1, sha256(int8send(n)), 'JPY',
      n::text, n::text, n::text, n::text, n::text, '', ''
    FROM generate_series(1, 3000) AS n
    CROSS JOIN LATERAL (SELECT lpad(to_hex(n), 32, '0')::uuid AS id) AS made;

    INSERT INTO order_events (business_id, order_id, actor_id, sequence, occurred_at, revision, to_status, reason)
    SELECT id, id, id, n, now(), 1, 1, ''
    FROM generate_series(1, 3000) AS n
    CROSS JOIN LATERAL (SELECT lpad(to_hex(n), 32, '0')::uuid AS id) AS made;

    INSERT INTO import_rows (
      business_id, import_id, order_id, row, chunk_first_row, source_start, source_length, verdict, external_id)
    SELECT id, id, id, n, n, 0, 0, CASE WHEN n % 100 = 0 THEN 3 ELSE 1 END, n::text
    FROM generate_series(1, 3000) AS n
    CROSS JOIN LATERAL (SELECT lpad(to_hex(n), 32, '0')::uuid AS id) AS made;

    ANALYZE orders, order_events, import_rows;

    TRUNCATE orders, order_events, import_rows;
  END IF;
END
$body$;

ALTER TABLE orders ALTER COLUMN business_id RESET (n_distinct);
ALTER TABLE order_events ALTER COLUMN business_id RESET (n_distinct);
ALTER TABLE import_rows ALTER COLUMN business_id RESET (n_distinct);
ALTER TABLE import_rows ALTER COLUMN import_id RESET (n_distinct);
