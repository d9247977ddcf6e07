import ComandaDomain
import ComandaPostgres
import ComandaStore
import Testing

@Suite("The schema")
struct SchemaTests {
  /// Tables that hold no data of a business: `comanda_migrations` is the migrator's own.
  private static let undistributed = Schema.referenceTables + ["comanda_migrations"]

  /// What is not as a cluster needs it, in words.
  private func strays(_ store: StoreFixture) async throws -> [String] {
    let query = Statement(
      """
      SELECT c.relname, 'has no primary key that begins with business_id'
      FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relname = ANY ($1)
        AND NOT EXISTS (
          SELECT FROM pg_index i
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
          WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'business_id' AND a.attnotnull)
      UNION ALL
      SELECT c.relname, 'has an index that does not begin with business_id: ' || i.indexrelid::regclass
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
      WHERE NOT c.relname = ANY ($1) AND a.attname IS DISTINCT FROM 'business_id'
      UNION ALL
      SELECT c.relname, 'has a foreign key without business_id first on both sides: ' || k.conname
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
      JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
      WHERE k.contype = 'f' AND (a.attname <> 'business_id' OR f.attname <> 'business_id' OR k.confdeltype = 'n')
      UNION ALL
      SELECT c.relname, 'has a trigger'
      FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
      WHERE NOT t.tgisinternal
      UNION ALL
      SELECT c.relname, 'has an identity column that is no bigint: ' || a.attname
      FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'public'::regnamespace
      WHERE a.attidentity <> '' AND a.atttypid <> 'bigint'::regtype
      """)
    return try await store.pool.query(query, [.textArray(Self.undistributed)]).rows.map {
      "\(try $0.text(0)) \(try $0.text(1))"
    }
  }

  @Test("every table is keyed by business_id first, or is a reference table")
  func businessFirst() async throws {
    try await StoreFixture.run { store in
      let found = try await strays(store)
      #expect(found.isEmpty, "\(found)")
    }
  }

  @Test("a table that breaks the rule is found")
  func ruleBites() async throws {
    try await StoreFixture.run { store in
      try await store.execute("CREATE TABLE stray (id bigint PRIMARY KEY, business_id uuid NOT NULL)")
      try await store.execute("CREATE UNIQUE INDEX wrong ON orders (external_id)")
      let found = try await strays(store).sorted()
      #expect(
        found == [
          "orders has an index that does not begin with business_id: wrong",
          "stray has an index that does not begin with business_id: stray_pkey",
          "stray has no primary key that begins with business_id",
        ])
    }
  }

  @Test(
    "a statement that is planned on an empty database takes the key that it names, not another index of the business",
    arguments: [
      ("orders WHERE business_id = $1 AND order_id = $1", "orders_pk"),
      ("orders WHERE business_id = $1 AND external_id = $1::text", "orders_external_id"),
      ("order_events WHERE business_id = $1 AND sequence = 1", "order_events_pk"),
      ("order_events WHERE business_id = $1 AND order_id = $1", "order_events_revision"),
      ("import_rows WHERE business_id = $1 AND import_id = $1 AND row BETWEEN 1 AND 9", "import_rows_pk"),
    ])
  func plansOnEmptyTables(_ condition: String, _ index: String) async throws {
    try await StoreFixture.run { store in
      let plan = try await store.pool.withConnection { connection in
        try await connection.execute(script: "SET enable_bitmapscan = off")
        return try await connection.query(
          Statement("EXPLAIN SELECT * FROM \(condition)"), [.uuid(store.business.uuid)])
      }
      let text = try plan.rows.map { try $0.text(0) }.joined(separator: "\n")
      #expect(text.contains("using \(index) "), "\(text)")
      #expect(!text.contains("Filter"), "\(text)")
    }
  }

  @Test("migrating again changes nothing")
  func migratesOnce() async throws {
    try await StoreFixture.run { store in
      let again = try await Migrator(Schema.migrations, logger: silentLogger).migrate(store.pool)
      #expect(again == [])
    }
  }

  @Test(
    "the integrity check finds what is broken",
    arguments: [
      ("DELETE FROM order_items WHERE line = 2", "order without its items, or with another number of them"),
      ("UPDATE order_items SET total = total + 1", "order whose items do not add up to its subtotal"),
      ("DELETE FROM order_events", "order whose history does not lead to it"),
      (
        "UPDATE business_sequences SET event_sequence = event_sequence + 1",
        "business whose events are not numbered 1, 2, … as its counter says"
      ),
      ("UPDATE payment_intents SET amount = amount - 1", "order whose payment intents do not add up to its total"),
      ("DELETE FROM notification_intents", "order with a channel and without a notification intent"),
      ("DELETE FROM import_rows WHERE row = 1", "order whose import row is not applied"),
      ("UPDATE import_appliers SET applied_rows = applied_rows + 1", "import whose counts are not those of its rows"),
      (
        "UPDATE import_appliers SET has_ended = true",
        "import that may be applied though it has ended, or may not though it has not"
      ),
      ("DELETE FROM import_chunks", "import whose rows or chunks are not 1, 2, … to its watermark"),
    ])
  func integrityCheckBites(_ damage: String, _ rule: String) async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload([.order("A"), .order("B")], to: id)
      try await store.applyEverything()
      try await store.expectIntegrity()
      let broken = try await store.pool.withConnection { connection in
        try await connection.execute(script: "BEGIN; \(damage)")
        let result = try await connection.query(Statement(Schema.integrityCheck))
        let rules = try result.rows.map { try $0.text(0) }
        try await connection.execute(script: "ROLLBACK")
        return rules
      }
      #expect(broken.contains(rule))
    }
  }
}
