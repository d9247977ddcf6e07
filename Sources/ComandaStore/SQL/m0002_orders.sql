-- Orders and what follows from them.
--
-- No foreign keys between these tables: one on every child more than doubled the time of an import (3.6 s to 8.0 s for
-- 100,000 orders). An order and its children are written by one statement list in one transaction, and
-- check_integrity.sql proves after every test that nothing is orphaned.

CREATE TABLE orders (
  business_id uuid NOT NULL,
  order_id uuid NOT NULL,
  import_id uuid,
  import_row bigint,
  placed_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  subtotal bigint NOT NULL,
  delivery bigint NOT NULL,
  total bigint NOT NULL,
  revision integer NOT NULL,
  item_count integer NOT NULL,
  status smallint NOT NULL,
  fulfilment smallint NOT NULL,
  payment_method smallint NOT NULL,
  notification_channel smallint NOT NULL,
  fingerprint_version smallint NOT NULL,
  fingerprint bytea NOT NULL,
  currency text COLLATE "C" NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  customer_name text NOT NULL,
  customer_phone text NOT NULL,
  customer_email text NOT NULL,
  delivery_address text NOT NULL,
  delivery_instructions text NOT NULL,
  note text NOT NULL,
  CONSTRAINT orders_pk PRIMARY KEY (business_id, order_id),
  CONSTRAINT orders_external_id UNIQUE (business_id, external_id),
  CONSTRAINT orders_status CHECK (status BETWEEN 1 AND 7),
  CONSTRAINT orders_fulfilment CHECK (fulfilment BETWEEN 1 AND 2),
  CONSTRAINT orders_cost CHECK (subtotal >= 0 AND delivery >= 0 AND total = subtotal + delivery),
  CONSTRAINT orders_counts CHECK (item_count > 0 AND revision > 0),
  CONSTRAINT orders_origin CHECK ((import_id IS NULL) = (import_row IS NULL))
);

-- Serves lists with and without a status: without one, the seven runs are merged.
CREATE INDEX orders_by_status_time ON orders (business_id, status, placed_at, order_id);

CREATE TABLE order_items (
  business_id uuid NOT NULL,
  order_id uuid NOT NULL,
  quantity bigint NOT NULL,
  total bigint NOT NULL,
  unit_price bigint,
  line integer NOT NULL,
  name text NOT NULL,
  sku text NOT NULL,
  note text NOT NULL,
  CONSTRAINT order_items_pk PRIMARY KEY (business_id, order_id, line),
  CONSTRAINT order_items_amounts CHECK (quantity > 0 AND total >= 0)
);

-- The history of all orders of a business, which is its feed of changes too.
CREATE TABLE order_events (
  business_id uuid NOT NULL,
  order_id uuid NOT NULL,
  actor_id uuid NOT NULL,
  sequence bigint NOT NULL,
  occurred_at timestamptz NOT NULL,
  revision integer NOT NULL,
  from_status smallint,
  to_status smallint NOT NULL,
  reason text NOT NULL,
  CONSTRAINT order_events_pk PRIMARY KEY (business_id, sequence),
  CONSTRAINT order_events_revision UNIQUE (business_id, order_id, revision),
  CONSTRAINT order_events_creation CHECK ((revision = 1) = (from_status IS NULL))
);

-- A part of an order's total that wants to be paid. A large order has several, and one payment may carry many.
-- status: 1 owed, 2 canceled together with its order.
CREATE TABLE payment_intents (
  business_id uuid NOT NULL,
  order_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  amount bigint NOT NULL,
  part smallint NOT NULL,
  status smallint NOT NULL,
  method smallint NOT NULL,
  currency text COLLATE "C" NOT NULL,
  CONSTRAINT payment_intents_pk PRIMARY KEY (business_id, order_id, part),
  CONSTRAINT payment_intents_amount CHECK (amount > 0),
  CONSTRAINT payment_intents_status CHECK (status BETWEEN 1 AND 2)
);

-- Something that the customer of an order wants to be told. The recipient is read from the order when it is sent.
-- status: 1 to be told, 2 canceled together with its order.
CREATE TABLE notification_intents (
  business_id uuid NOT NULL,
  order_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  occasion smallint NOT NULL,
  status smallint NOT NULL,
  channel smallint NOT NULL,
  CONSTRAINT notification_intents_pk PRIMARY KEY (business_id, order_id, occasion),
  CONSTRAINT notification_intents_channel CHECK (channel BETWEEN 2 AND 4),
  CONSTRAINT notification_intents_status CHECK (status BETWEEN 1 AND 2)
);
