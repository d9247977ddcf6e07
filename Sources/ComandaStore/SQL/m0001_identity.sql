-- Who is on the platform, and who may do what.
--
-- Every table is either distributed by business_id, which then comes first in each of its keys, or listed as a
-- reference table; a test reads the catalogue and fails on one that is neither. Empty text means "not given".

CREATE TABLE businesses (
  business_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  name text NOT NULL,
  CONSTRAINT businesses_pk PRIMARY KEY (business_id),
  CONSTRAINT businesses_name CHECK (name <> '')
);

-- The counter row of a business: the last number given to a change of its orders, and to an audit record. A writing
-- transaction takes its numbers last, and so numbers are free of gaps and in the order of commits.
CREATE TABLE business_sequences (
  business_id uuid NOT NULL,
  event_sequence bigint NOT NULL DEFAULT 0,
  audit_sequence bigint NOT NULL DEFAULT 0,
  CONSTRAINT business_sequences_pk PRIMARY KEY (business_id),
  CONSTRAINT business_sequences_business FOREIGN KEY (business_id) REFERENCES businesses (business_id)
) WITH (fillfactor = 10);

-- The platform itself, in whose name operators' changes are audited: no business, yet it has a counter.
INSERT INTO businesses (business_id, created_at, name)
VALUES ('00000000-0000-0000-0000-000000000000', now(), 'platform');

INSERT INTO business_sequences (business_id) VALUES ('00000000-0000-0000-0000-000000000000');

-- Bearer tokens: a reference table, since a token is looked up before its business is known.
CREATE TABLE tokens (
  token_id uuid NOT NULL,
  business_id uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  kind smallint NOT NULL,
  sha256 bytea NOT NULL,
  name text NOT NULL,
  scopes text[] NOT NULL,
  CONSTRAINT tokens_pk PRIMARY KEY (token_id),
  CONSTRAINT tokens_sha256 UNIQUE (sha256),
  CONSTRAINT tokens_kind CHECK (kind BETWEEN 1 AND 3),
  CONSTRAINT tokens_business CHECK ((kind = 1) = (business_id IS NOT NULL))
);

-- Requests that were answered, to recognise one that is sent again. Both times are the database's own: servers whose
-- clocks differ agree on what has expired.
CREATE TABLE requests (
  business_id uuid NOT NULL,
  response_id uuid NOT NULL,
  claimed_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  method text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,
  CONSTRAINT requests_pk PRIMARY KEY (business_id, method, request_id)
);

-- What was changed, by whom: one record a call, or one an applied chunk with a digest of its rows.
CREATE TABLE audit_records (
  business_id uuid NOT NULL,
  sequence bigint NOT NULL,
  actor_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  occurred_at timestamptz NOT NULL,
  method text NOT NULL,
  request_id text NOT NULL,
  digest bytea,
  detail jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT audit_records_pk PRIMARY KEY (business_id, sequence)
);
