import ComandaDomain
import Testing

@testable import ComandaPostgres
@testable import ComandaStore

@Suite("The database's errors in the domain's words")
struct StoreErrorsTests {
  private let errors = StoreErrors(logger: silentLogger)

  /// What a transaction that ends like this comes to, and how often it was run.
  private func outcome(_ error: PostgresError) async -> (error: DomainError?, attempts: Int) {
    var attempts = 0
    do {
      try await errors.translating {
        attempts += 1
        throw error
      }
      return (nil, attempts)
    } catch {
      return (error as? DomainError, attempts)
    }
  }

  @Test("what another writer was in the way of is tried once more, then it is the caller's to send again")
  func contention() async {
    for state in [SQLState.lockNotAvailable, .deadlockDetected, .serializationFailure] {
      let outcome = await outcome(PostgresError(.server, "", sqlState: state))
      #expect(outcome.error == .aborted && outcome.attempts == 2)
    }
  }

  @Test("a connection that broke before anything took effect is replaced")
  func lost() async {
    let outcome = await outcome(.connectionLost(outcomeUnknown: false))
    #expect(outcome.error == .storeUnavailable(mayHaveTakenEffect: false) && outcome.attempts == 3)
    let unknown = await self.outcome(.connectionLost(outcomeUnknown: true))
    #expect(unknown.error == .storeUnavailable(mayHaveTakenEffect: true) && unknown.attempts == 1)
  }

  @Test(
    "a database that cannot do it now is unavailable, and no fault of ours",
    arguments: [
      "08006", "08003", "53100", "53300", "57P01", "58030", "25P03",
    ])
  func unavailable(code: String) async {
    let outcome = await outcome(PostgresError(.server, "", sqlState: SQLState(code)))
    #expect(outcome.error == .storeUnavailable(mayHaveTakenEffect: false) && outcome.attempts == 1)
  }

  @Test("who has too much under way is told so; what the database says of our statements is a fault")
  func others() async {
    #expect(await outcome(PostgresError(.poolExhausted, "")).error == .tooManyCalls)
    #expect(await outcome(PostgresError(.server, "", sqlState: .syntaxError)).error == .fault)
    #expect(await outcome(PostgresError(.decoding, "")).error == .fault)
  }
}
