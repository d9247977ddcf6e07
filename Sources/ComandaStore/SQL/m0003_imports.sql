-- Imports: staged in chunks, applied in row order by one applier at a time.

-- An import and its uploader's side: rows 1 to committed_row are staged.
CREATE TABLE imports (
  business_id uuid NOT NULL,
  import_id uuid NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  sealed_at timestamptz,
  ended_at timestamptz,
  expected_rows bigint,
  total_rows bigint,
  committed_row bigint NOT NULL DEFAULT 0,
  failed_rows bigint NOT NULL DEFAULT 0,
  revision bigint NOT NULL DEFAULT 1,
  state smallint NOT NULL DEFAULT 1,
  policy smallint NOT NULL,
  default_payment_method smallint NOT NULL,
  default_notification_channel smallint NOT NULL,
  default_currency text NOT NULL,
  creates_payments boolean NOT NULL,
  creates_notifications boolean NOT NULL,
  source_name text NOT NULL,
  group_name text NOT NULL,
  file_sha256 bytea,
  mapping_sha256 bytea,
  source_header bytea NOT NULL,
  CONSTRAINT imports_pk PRIMARY KEY (business_id, import_id),
  CONSTRAINT imports_business FOREIGN KEY (business_id) REFERENCES businesses (business_id),
  CONSTRAINT imports_state CHECK (state BETWEEN 1 AND 4),
  CONSTRAINT imports_policy CHECK (policy = 1),
  CONSTRAINT imports_sealed CHECK (state NOT IN (2, 3) OR (sealed_at IS NOT NULL AND total_rows = committed_row)),
  CONSTRAINT imports_ended CHECK ((state IN (3, 4)) = (ended_at IS NOT NULL))
) WITH (fillfactor = 50);

CREATE INDEX imports_running ON imports (business_id, import_id) WHERE state IN (1, 2);

-- The applier's side, in a row of its own so that uploader and applier never wait for each other: rows 1 to
-- applied_row have their final outcome. Whoever applies a chunk locks this row until the transaction ends; nothing else
-- says who is at work.
--
-- turn_at is when it was created or had its last turn: of a business's imports the one that has waited longest is next.
-- has_ended bars appliers: one that read the import's state before it was canceled sees this when it locks the row.
-- faults counts failures in a row; the import is not tried again before retry_at, nor while faulted_at is set, which is
-- told as state 9.
CREATE TABLE import_appliers (
  business_id uuid NOT NULL,
  import_id uuid NOT NULL,
  turn_at timestamptz NOT NULL DEFAULT now(),
  retry_at timestamptz,
  faulted_at timestamptz,
  faults integer NOT NULL DEFAULT 0,
  has_ended boolean NOT NULL DEFAULT false,
  applied_row bigint NOT NULL DEFAULT 0,
  applied_rows bigint NOT NULL DEFAULT 0,
  unchanged_rows bigint NOT NULL DEFAULT 0,
  failed_rows bigint NOT NULL DEFAULT 0,
  revision bigint NOT NULL DEFAULT 0,
  CONSTRAINT import_appliers_pk PRIMARY KEY (business_id, import_id),
  CONSTRAINT import_appliers_import FOREIGN KEY (business_id, import_id)
    REFERENCES imports (business_id, import_id)
) WITH (fillfactor = 50);

-- The chunks as they were sent, to recognise one that is sent again, and the lines of the file that their rows came
-- from. All lines of a chunk lie in one value, which the store compresses to a tenth: in import_rows they were a third
-- of its bytes.
CREATE TABLE import_chunks (
  business_id uuid NOT NULL,
  import_id uuid NOT NULL,
  first_row bigint NOT NULL,
  staged_at timestamptz NOT NULL,
  row_count integer NOT NULL,
  failed_rows integer NOT NULL,
  sha256 bytea NOT NULL,
  source bytea NOT NULL,
  CONSTRAINT import_chunks_pk PRIMARY KEY (business_id, import_id, first_row),
  CONSTRAINT import_chunks_import FOREIGN KEY (business_id, import_id) REFERENCES imports (business_id, import_id),
  CONSTRAINT import_chunks_rows CHECK (row_count > 0 AND failed_rows BETWEEN 0 AND row_count)
);

-- The rows, flat: one row of COPY carries an order with all its items. verdict is what is known of the row by itself:
--   1 valid: becomes an order when the applier reaches it, and has become one at or below import_appliers.applied_row
--   2 unchanged: its order was there with the same content; order_id names it
--   3 failed: the problem_… arrays say why
--   4 duplicate: same content as row duplicate_of of this import, whose end it shares when the applier reaches it
-- A row that becomes an order, the usual case, is never written again: its outcome follows from applied_row.
--
-- item_numbers holds quantity, unit price and total of each item in turn, item_texts its name, sku and note: six
-- arrays, one for each, made the table a fifth larger and saved no time.
CREATE TABLE import_rows (
  business_id uuid NOT NULL,
  import_id uuid NOT NULL,
  order_id uuid,
  row bigint NOT NULL,
  chunk_first_row bigint NOT NULL,
  first_line bigint,
  duplicate_of bigint,
  placed_at timestamptz,
  subtotal bigint,
  delivery bigint,
  total bigint,
  source_start integer NOT NULL,
  source_length integer NOT NULL,
  verdict smallint NOT NULL,
  fulfilment smallint,
  payment_method smallint,
  notification_channel smallint,
  fingerprint_version smallint,
  fingerprint bytea,
  currency text,
  external_id text COLLATE "C" NOT NULL,
  customer_name text,
  customer_phone text,
  customer_email text,
  delivery_address text,
  delivery_instructions text,
  note text,
  item_numbers bigint[],
  item_texts text[],
  problem_fields text[],
  problem_codes text[],
  problem_messages text[],
  problem_lines bigint[],
  CONSTRAINT import_rows_pk PRIMARY KEY (business_id, import_id, row),
  CONSTRAINT import_rows_verdict CHECK (verdict BETWEEN 1 AND 4)
);

-- Lists what did not become an order; rows that did cost it nothing.
CREATE INDEX import_rows_exceptions ON import_rows (business_id, import_id, row) WHERE verdict <> 1;

-- The row that holds each external id of an import: the lowest one, whatever became of it. A table of its own and not
-- an index of import_rows, because without statistics the planner took the other index of that table and read a whole
-- import for each chunk: 5.8 s for 100,000 rows.
CREATE TABLE import_keys (
  business_id uuid NOT NULL,
  import_id uuid NOT NULL,
  row bigint NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  CONSTRAINT import_keys_pk PRIMARY KEY (business_id, import_id, external_id)
);
