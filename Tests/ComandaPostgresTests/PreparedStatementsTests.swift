import Testing

@testable import ComandaPostgres

@Suite("Prepared statements")
struct PreparedStatementsTests {
  private static let insert = Statement("INSERT INTO t VALUES ($1, $2)")

  private func name(_ number: UInt32) -> PreparedStatements.Name { .init(number: number) }

  @Test("the same statement with the same types is prepared once")
  func once() {
    var prepared = PreparedStatements()
    #expect(prepared.use(Self.insert, types: [.int8, .text]) == .prepare(name(1), types: [.int8, .text]))
    #expect(prepared.use(Self.insert, types: [.int8, .text]) == .ready(name(1)))
    #expect(prepared.use(Statement("SELECT 1"), types: []) == .prepare(name(2), types: []))
  }

  @Test("NULL fits any type, and a type that is learned later is added to those known")
  func nulls() {
    var prepared = PreparedStatements()
    #expect(
      prepared.use(Self.insert, types: [.int8, .unspecified]) == .prepare(name(1), types: [.int8, .unspecified]))
    #expect(prepared.use(Self.insert, types: [.unspecified, .text]) == .prepare(name(2), types: [.int8, .text]))
    #expect(prepared.use(Self.insert, types: [.unspecified, .unspecified]) == .ready(name(1)))
    #expect(prepared.use(Self.insert, types: [.int8, .text]) == .ready(name(2)))
    #expect(prepared.use(Self.insert, types: [.unspecified, .text]) == .ready(name(2)))
  }

  @Test("types that contradict each other are variants side by side")
  func variants() {
    var prepared = PreparedStatements()
    #expect(prepared.use(Self.insert, types: [.int8, .text]) == .prepare(name(1), types: [.int8, .text]))
    #expect(prepared.use(Self.insert, types: [.int4, .text]) == .prepare(name(2), types: [.int4, .text]))
    #expect(prepared.use(Self.insert, types: [.int8, .text]) == .ready(name(1)))
    #expect(prepared.use(Self.insert, types: [.int4, .text]) == .ready(name(2)))
  }

  @Test("what is forgotten is prepared under a new name")
  func forget() {
    var prepared = PreparedStatements()
    _ = prepared.use(Self.insert, types: [.int8, .text])
    prepared.forget(name(1))
    prepared.forget(name(1))
    #expect(prepared.use(Self.insert, types: [.int8, .text]) == .prepare(name(2), types: [.int8, .text]))
  }

  @Test("beyond the limit statements go unprepared")
  func limit() {
    var prepared = PreparedStatements(limit: 2)
    for number in 0..<2 {
      guard case .prepare = prepared.use(Statement("SELECT \(number)"), types: []) else {
        Issue.record("statement \(number) is within the limit")
        continue
      }
    }
    #expect(prepared.use(Statement("SELECT 3"), types: []) == .unprepared)
    #expect(prepared.use(Statement("SELECT 0"), types: []) == .ready(name(1)))
  }
}
