COPY import_rows (
  business_id, import_id, row, chunk_first_row, source_start, source_length, first_line, verdict, external_id, order_id,
  duplicate_of, placed_at, subtotal, delivery, total, fulfilment, payment_method, notification_channel,
  fingerprint_version, fingerprint, currency, customer_name, customer_phone, customer_email, delivery_address,
  delivery_instructions, note, item_numbers, item_texts, problem_fields, problem_codes, problem_messages, problem_lines)
FROM STDIN (FORMAT binary)
