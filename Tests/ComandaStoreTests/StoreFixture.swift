import ComandaDomain
import ComandaPostgres
import ComandaStore
import ComandaTestDatabase
import FoundationEssentials
import Logging
import Testing

/// A database of one test's own, with the schema, one business, and every store over it.
struct StoreFixture {
  let url: String
  let pool: PostgresPool
  let orders: PostgresOrderStore
  let imports: PostgresImportStore
  let tokens: PostgresTokenStore
  let businesses: PostgresBusinessStore
  private(set) var business: BusinessID
  let actor: TokenID
  let now = Timestamp(microseconds: 1_795_000_000_000_000)

  /// Runs a test over a fresh database and proves its integrity at the end, whatever the test did.
  static func run(_ test: (StoreFixture) async throws -> Void) async throws {
    let url = try await TestDatabase.shared.makeDatabase()
    var configuration = try PostgresConfiguration(url: url)
    configuration.interactive.connections = 6
    let pool = try PostgresPool(configuration: configuration, logger: silentLogger)
    _ = try await Migrator(Schema.migrations, logger: silentLogger).migrate(pool)
    let fixture = StoreFixture(url: url, pool: pool, logger: silentLogger)
    try await fixture.businesses.create(
      Business(id: fixture.business, name: "Noodle Bar", createdAt: fixture.now), by: fixture.mutation("CreateBusiness")
    )
    try await test(fixture)
    try await fixture.expectIntegrity()
    await pool.shutDown()
  }

  private init(url: String, pool: PostgresPool, logger: Logger) {
    self.url = url
    self.pool = pool
    orders = PostgresOrderStore(pool: pool, logger: logger)
    imports = PostgresImportStore(pool: pool, logger: logger)
    tokens = PostgresTokenStore(pool: pool, logger: logger)
    businesses = PostgresBusinessStore(pool: pool, logger: logger)
    business = newID(1)
    actor = newID(2)
  }

  /// The same stores, seen by another business, which is made.
  func asAnotherBusiness(_ id: BusinessID = newID(3)) async throws -> StoreFixture {
    try await businesses.create(
      Business(id: id, name: "Sushi Bar", createdAt: now), by: mutation("CreateBusiness"))
    var other = self
    other.business = id
    return other
  }

  func mutation(_ method: String, request: String? = nil, content: UInt8 = 0) throws -> Mutation {
    let key = try request.map { try RequestKey(id: $0, fingerprint: digest(content)) }
    return Mutation(actor: actor, method: method, at: now, request: key)
  }

  func expectIntegrity(_ location: SourceLocation = #_sourceLocation) async throws {
    let broken = try await pool.withConnection { try await $0.query(Statement(Schema.integrityCheck)) }
    for row in broken.rows {
      Issue.record("\(try row.text(0)): \(try row.int64(1))", sourceLocation: location)
    }
  }

  func count(_ sql: String) async throws -> Int64 {
    try #require(try await pool.query(Statement("SELECT count(*) FROM \(sql)")).rows.first).int64(0)
  }

  func execute(_ sql: String) async throws {
    try await pool.withConnection { try await $0.execute(script: sql) }
  }
}

/// Tests look at results, not at logs.
let silentLogger = Logger(label: "store-tests") { _ in SwiftLogNoOpLogHandler() }

/// An id that is the same in every run.
func newID<Kind>(_ number: UInt64) -> Identifier<Kind> {
  Identifier(UUID(high: 0x0193_0000_0000_7000, low: 1 << 63 | number))
}

func digest(_ byte: UInt8) -> SHA256Digest {
  SHA256Digest(hex: String(repeating: byte < 16 ? "0\(String(byte, radix: 16))" : String(byte, radix: 16), count: 32))
    ?? zeroDigest
}

private let zeroDigest: SHA256Digest = {
  guard let digest = SHA256Digest([UInt8](repeating: 0, count: 32)) else {
    preconditionFailure("32 bytes are a digest")
  }
  return digest
}()

/// Stands for SHA-256 where only equal and different matter: FNV-1a, four times.
let hash: SHA256Function = { bytes in
  var words: [UInt64] = []
  for seed in 0..<4 as Range<UInt64> {
    words.append(bytes.reduce(0xcbf2_9ce4_8422_2325 &+ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
  }
  return SHA256Digest(words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } })
    ?? zeroDigest
}

/// An order of two items, as a client sends it; `variant` changes what it costs.
func draft(_ externalID: String, variant: Int64 = 0) -> OrderDraft {
  var draft = OrderDraft()
  draft.externalID = externalID
  draft.customer = Customer(name: "山田 太郎", phone: "+81 90 0000 0000", email: "taro@example.com")
  draft.fulfilment = .delivery(DeliveryAddress(address: "1-2-3 Shibuya, Tokyo", instructions: "ring twice"))
  var ramen = ItemDraft()
  ramen.name = "Ramen"
  ramen.sku = "R-1"
  ramen.quantity = Quantity(thousandths: 2_000)
  ramen.unitPrice = 450
  ramen.total = 900 + variant
  ramen.note = "no egg, \"extra\" noodles"
  var tea = ItemDraft()
  tea.name = "Tea"
  tea.quantity = Quantity(thousandths: 500)
  tea.total = 100
  draft.items = [ramen, tea]
  draft.cost.delivery = 300
  draft.notificationChannel = .value(.email)
  return draft
}

extension StoreFixture {
  func newOrder(_ draft: OrderDraft, id: UInt64) throws -> NewOrder {
    let content = try draft.validated(now: now)
    var scratch: [UInt8] = []
    return NewOrder(
      id: newID(id), content: content,
      fingerprint: ContentFingerprint(of: content, scratch: &scratch, sha256: hash))
  }
}
