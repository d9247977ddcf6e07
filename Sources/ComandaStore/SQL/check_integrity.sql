-- What must never be: one row a rule that is broken, with how often; none when all is well. Tests run it after whatever
-- they did. It reads whole tables.
WITH rules (rule, broken) AS (
  SELECT 'order without its items, or with another number of them', (
    SELECT count(*) FROM orders o
    LEFT JOIN (SELECT business_id, order_id, count(*) AS items, max(line) AS last_line FROM order_items GROUP BY 1, 2) i
      USING (business_id, order_id)
    WHERE i.items IS DISTINCT FROM o.item_count OR i.last_line IS DISTINCT FROM o.item_count)
  UNION ALL
  SELECT 'order whose items do not add up to its subtotal', (
    SELECT count(*) FROM orders o
    LEFT JOIN (SELECT business_id, order_id, sum(total) AS total FROM order_items GROUP BY 1, 2) i
      USING (business_id, order_id)
    WHERE i.total IS DISTINCT FROM o.subtotal)
  UNION ALL
  SELECT 'item without its order', (
    SELECT count(*) FROM order_items i
    WHERE NOT EXISTS (SELECT FROM orders o WHERE (o.business_id, o.order_id) = (i.business_id, i.order_id)))
  UNION ALL
  SELECT 'order whose history does not lead to it', (
    SELECT count(*) FROM orders o
    LEFT JOIN (
      SELECT business_id, order_id, count(*) AS events, max(revision) AS revision,
        (array_agg(to_status ORDER BY revision DESC))[1] AS status
      FROM order_events GROUP BY 1, 2) e
      USING (business_id, order_id)
    WHERE e.events IS DISTINCT FROM o.revision OR e.revision IS DISTINCT FROM o.revision
      OR e.status IS DISTINCT FROM o.status)
  UNION ALL
  SELECT 'event without its order', (
    SELECT count(*) FROM order_events e
    WHERE NOT EXISTS (SELECT FROM orders o WHERE (o.business_id, o.order_id) = (e.business_id, e.order_id)))
  UNION ALL
  SELECT 'business whose events are not numbered 1, 2, … as its counter says', (
    SELECT count(*) FROM business_sequences s
    LEFT JOIN (SELECT business_id, count(*) AS events, max(sequence) AS last FROM order_events GROUP BY 1) e
      USING (business_id)
    WHERE coalesce(e.events, 0) <> s.event_sequence OR coalesce(e.last, 0) <> s.event_sequence)
  UNION ALL
  SELECT 'business whose audit records are not numbered 1, 2, … as its counter says', (
    SELECT count(*) FROM business_sequences s
    LEFT JOIN (SELECT business_id, count(*) AS records, max(sequence) AS last FROM audit_records GROUP BY 1) a
      USING (business_id)
    WHERE coalesce(a.records, 0) <> s.audit_sequence OR coalesce(a.last, 0) <> s.audit_sequence)
  UNION ALL
  SELECT 'event or audit record of a business without a counter', (
    SELECT count(*) FROM (SELECT business_id FROM order_events UNION ALL SELECT business_id FROM audit_records) w
    WHERE NOT EXISTS (SELECT FROM business_sequences s WHERE s.business_id = w.business_id))
  UNION ALL
  SELECT 'payment intent without its order, or in another currency', (
    SELECT count(*) FROM payment_intents p
    LEFT JOIN orders o USING (business_id, order_id)
    WHERE o.currency IS DISTINCT FROM p.currency)
  UNION ALL
  SELECT 'order whose payment intents do not add up to its total', (
    SELECT count(*) FROM (
      SELECT business_id, order_id, sum(amount) AS amount FROM payment_intents GROUP BY 1, 2) p
    JOIN orders o USING (business_id, order_id)
    WHERE p.amount <> o.total)
  UNION ALL
  SELECT 'card order without a payment intent', (
    SELECT count(*) FROM orders o
    LEFT JOIN imports i ON i.business_id = o.business_id AND i.import_id = o.import_id
    WHERE o.payment_method <> 2 AND o.total > 0 AND coalesce(i.creates_payments, true)
      AND NOT EXISTS (
        SELECT FROM payment_intents p WHERE (p.business_id, p.order_id) = (o.business_id, o.order_id)))
  UNION ALL
  SELECT 'notification intent without its order, or by another channel', (
    SELECT count(*) FROM notification_intents n
    LEFT JOIN orders o USING (business_id, order_id)
    WHERE o.notification_channel IS DISTINCT FROM n.channel)
  UNION ALL
  SELECT 'order with a channel and without a notification intent', (
    SELECT count(*) FROM orders o
    LEFT JOIN imports i ON i.business_id = o.business_id AND i.import_id = o.import_id
    WHERE o.notification_channel <> 1 AND coalesce(i.creates_notifications, true)
      AND NOT EXISTS (
        SELECT FROM notification_intents n WHERE (n.business_id, n.order_id) = (o.business_id, o.order_id)))
  UNION ALL
  SELECT 'payment intent that is canceled without its order, or alive though that is canceled', (
    SELECT count(*) FROM payment_intents p
    JOIN orders o USING (business_id, order_id)
    WHERE (p.status = 2) <> (o.status = 7))
  UNION ALL
  SELECT 'notification intent that is canceled without its order, or alive though that is canceled', (
    SELECT count(*) FROM notification_intents n
    JOIN orders o USING (business_id, order_id)
    WHERE (n.status = 2) <> (o.status = 7))
  UNION ALL
  SELECT 'import without its applier', (
    SELECT count(*) FROM imports i
    WHERE NOT EXISTS (
      SELECT FROM import_appliers a WHERE (a.business_id, a.import_id) = (i.business_id, i.import_id)))
  UNION ALL
  SELECT 'import that may be applied though it has ended, or may not though it has not', (
    SELECT count(*) FROM imports i
    JOIN import_appliers a USING (business_id, import_id)
    WHERE a.has_ended <> (i.ended_at IS NOT NULL))
  UNION ALL
  SELECT 'import whose rows or chunks are not 1, 2, … to its watermark', (
    SELECT count(*) FROM imports i
    LEFT JOIN (SELECT business_id, import_id, count(*) AS rows, max(row) AS last FROM import_rows GROUP BY 1, 2) r
      USING (business_id, import_id)
    LEFT JOIN (
      SELECT business_id, import_id, sum(row_count) AS rows, max(first_row + row_count - 1) AS last
      FROM import_chunks GROUP BY 1, 2) c
      USING (business_id, import_id)
    WHERE coalesce(r.rows, 0) <> i.committed_row OR coalesce(r.last, 0) <> i.committed_row
      OR coalesce(c.rows, 0) <> i.committed_row OR coalesce(c.last, 0) <> i.committed_row)
  UNION ALL
  SELECT 'import applied beyond its watermark, or completed before its end', (
    SELECT count(*) FROM imports i
    JOIN import_appliers a USING (business_id, import_id)
    WHERE a.applied_row > i.committed_row OR (i.state = 3 AND a.applied_row <> i.total_rows))
  UNION ALL
  SELECT 'import whose counts are not those of its rows', (
    SELECT count(*) FROM imports i
    JOIN import_appliers a USING (business_id, import_id)
    LEFT JOIN (
      SELECT r.business_id, r.import_id,
        count(*) FILTER (WHERE verdict = 1 AND row <= applied_row) AS applied,
        count(*) FILTER (WHERE verdict = 2) AS unchanged,
        count(*) FILTER (WHERE verdict = 3) AS failed,
        count(*) FILTER (WHERE verdict = 4 AND row <= applied_row) AS unsettled
      FROM import_rows r
      JOIN import_appliers USING (business_id, import_id)
      GROUP BY 1, 2) r
      USING (business_id, import_id)
    WHERE coalesce(r.applied, 0) <> a.applied_rows OR coalesce(r.unchanged, 0) <> a.unchanged_rows
      OR coalesce(r.failed, 0) <> i.failed_rows + a.failed_rows OR coalesce(r.unsettled, 0) <> 0)
  UNION ALL
  SELECT 'external id of an import that its lowest row does not hold', (
    SELECT count(*) FROM (
      SELECT business_id, import_id, external_id, min(row) AS row FROM import_rows WHERE external_id <> ''
      GROUP BY 1, 2, 3) r
    FULL JOIN import_keys k USING (business_id, import_id, external_id)
    WHERE r.row IS DISTINCT FROM k.row)
  UNION ALL
  SELECT 'applied row without its order', (
    SELECT count(*) FROM import_rows r
    JOIN import_appliers a USING (business_id, import_id)
    LEFT JOIN orders o ON o.business_id = r.business_id AND o.order_id = r.order_id
    WHERE r.verdict = 1 AND r.row <= a.applied_row
      AND (o.import_id, o.import_row, o.external_id, o.fingerprint)
        IS DISTINCT FROM (r.import_id, r.row, r.external_id, r.fingerprint))
  UNION ALL
  SELECT 'order whose import row is not applied', (
    SELECT count(*) FROM orders o
    LEFT JOIN import_rows r ON r.business_id = o.business_id AND r.import_id = o.import_id AND r.row = o.import_row
    LEFT JOIN import_appliers a ON a.business_id = o.business_id AND a.import_id = o.import_id
    WHERE o.import_id IS NOT NULL
      AND (r.verdict IS DISTINCT FROM 1 OR r.order_id IS DISTINCT FROM o.order_id OR a.applied_row < o.import_row))
  UNION ALL
  SELECT 'unchanged row whose order is not there or differs', (
    SELECT count(*) FROM import_rows r
    LEFT JOIN orders o ON o.business_id = r.business_id AND o.order_id = r.order_id
    WHERE r.verdict = 2 AND (o.external_id, o.fingerprint) IS DISTINCT FROM (r.external_id, r.fingerprint))
  UNION ALL
  SELECT 'failed row without a reason', (
    SELECT count(*) FROM import_rows WHERE verdict = 3 AND coalesce(cardinality(problem_codes), 0) = 0)
)
SELECT rule, broken FROM rules WHERE broken > 0
