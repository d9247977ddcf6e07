import ComandaDomain
import ComandaPostgres
import Synchronization

/// Commits new orders in groups: see ``CommitQueues``.
final class OrderCommitter: Sendable {
  /// What became of an order, and the time that it was created at if it was.
  typealias Commitment = (outcome: OrderBatch.Outcome, at: Timestamp)
  private typealias Entry = CommitQueues<Answer<Commitment>>.Entry

  private let pool: PostgresPool
  private let errors: StoreErrors
  private let queues = Mutex(CommitQueues<Answer<Commitment>>())

  init(pool: PostgresPool, errors: StoreErrors) {
    self.pool = pool
    self.errors = errors
  }

  /// Commits one order, together with those that others commit at the same time. A caller that is cancelled no longer
  /// waits; its order may be committed nevertheless.
  func commit(_ order: NewOrder, in business: BusinessID, by mutation: Mutation) async throws -> Commitment {
    let answer = Answer<Commitment>()
    let entry = Entry(order: order, mutation: mutation, answer: answer)
    switch queues.withLock({ $0.add(entry, of: business) }) {
    case .commit(let batch):
      // A task of its own: the batches that follow are others', and outlive the caller who began.
      Task { await self.run(batch, of: business) }
    case .wait: break
    case .refuse: throw DomainError.tooManyCalls
    }
    return try await answer.value
  }

  private func run(_ first: [Entry], of business: BusinessID) async {
    var batch = first
    while !batch.isEmpty {
      await commit(batch, of: business)
      batch = queues.withLock { $0.batchEnded(of: business) }
    }
  }

  private func commit(_ entries: [Entry], of business: BusinessID) async {
    do {
      try await answer(entries, of: business) { statements in
        try await self.pool.transaction([(SQL.settingsShared, [])] + statements, for: business.uuid)
      }
    } catch let error as PostgresError where error.hadNoEffect {
      // A lock or a broken connection is in the way, or one of them is at fault: each for itself, on a connection that
      // may wait.
      for entry in entries { await commitAlone(entry, of: business) }
    } catch {
      let error = errors.translated(error)
      for entry in entries { entry.answer.give(.failure(error)) }
    }
  }

  private func commitAlone(_ entry: Entry, of business: BusinessID) async {
    do {
      try await errors.translating {
        try await answer([entry], of: business) { statements in
          try await self.pool.withConnection(.interactive, for: business.uuid) { connection in
            try await connection.transaction { try await $0.commit(with: [(SQL.settingsLeased, [])] + statements) }
          }
        }
      }
    } catch {
      entry.answer.give(.failure(error))
    }
  }

  private func answer(
    _ entries: [Entry], of business: BusinessID,
    transaction: ([(Statement, [Parameter])]) async throws -> [QueryResult]
  ) async throws {
    guard let last = entries.last else { return }
    var batch = OrderBatch(business: business, method: last.mutation.method, at: last.mutation.at)
    for entry in entries { batch.append(entry.order, by: entry.mutation) }
    let results = try await transaction(batch.statements)
    let outcomes = try batch.outcomes(known(results.last))
    for (entry, outcome) in zip(entries, outcomes) { entry.answer.give(.success((outcome, last.mutation.at))) }
  }
}

extension PostgresError {
  /// Whether the transaction is known to be rolled back.
  fileprivate var hadNoEffect: Bool {
    kind == .server || kind == .statementTimeout || kind == .connectionLostNotStarted
  }
}
