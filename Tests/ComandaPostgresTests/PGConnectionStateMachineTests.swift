import Testing

@testable import ComandaPostgres

@Suite("The connection's machine")
struct PGConnectionStateMachineTests {
  typealias Machine = PGConnectionStateMachine<Int>
  typealias Name = PreparedStatements.Name

  private static let a = BoundStatement(Statement("SELECT a"))
  private static let b = BoundStatement(Statement("SELECT b"))

  private func name(_ number: UInt32) -> Name { Name(number: number) }

  /// A machine that has prepared `a` as 1 already.
  private func withPreparedA(isShared: Bool = true) -> Machine {
    var machine = Machine(isShared: isShared)
    _ = machine.send(0, [Self.a], .plain(mayResend: true))
    #expect(machine.received([.success, .end, .success, .end, .sync]).last == .finished(0, .succeeded))
    return machine
  }

  @Test("the first use of a statement prepares it, the next ones do not")
  func prepares() {
    var machine = Machine(isShared: true)
    #expect(
      machine.send(1, [Self.a], .plain(mayResend: true)) == [
        .prepare(name(1), .statement(0), types: []), .execute(name(1), .statement(0)), .sync,
      ])
    #expect(machine.send(2, [Self.a], .plain(mayResend: true)) == [.execute(name(1), .statement(0)), .sync])
    #expect(
      machine.received([.success, .end, .success, .end, .sync]) == [
        .none, .none, .keepResult(1, .statement(0)), .none, .finished(1, .succeeded),
      ])
    #expect(
      machine.received([.success, .end, .sync]) == [.keepResult(2, .statement(0)), .none, .finished(2, .succeeded)])
    #expect(!machine.expectsReplies)
  }

  @Test("an error fails its own call only")
  func error() {
    var machine = withPreparedA()
    _ = machine.send(1, [Self.a], .plain(mayResend: true))
    _ = machine.send(2, [Self.a], .plain(mayResend: true))
    #expect(
      machine.received([.failure(.ordinary), .end, .sync, .success, .end, .sync]) == [
        .keepError(1, .statement(0)), .none, .finished(1, .failed),
        .keepResult(2, .statement(0)), .none, .finished(2, .succeeded),
      ])
  }

  @Test("BEGIN goes along with a transaction's first statements, and COMMIT with its last")
  func openTransaction() {
    var machine = withPreparedA(isShared: false)
    #expect(
      machine.send(1, [Self.a], .beginning) == [
        .prepare(name(2), .begin, types: []), .execute(name(2), .begin), .execute(name(1), .statement(0)), .sync,
      ])
    #expect(
      machine.send(2, [Self.a], .end) == [
        .execute(name(1), .statement(0)), .sync, .prepare(name(3), .commit, types: []), .execute(name(3), .commit),
        .sync,
      ])
    #expect(machine.send(3, [], .end) == [.execute(name(3), .commit), .sync])
    #expect(
      machine.received([
        .success, .end, .success, .end, .success, .end, .sync, .failure(.ordinary), .end, .sync, .success, .end,
        .success, .end, .sync,
      ]) == [
        .none, .none, .keepResult(1, .begin), .none, .keepResult(1, .statement(0)), .none, .finished(1, .succeeded),
        .keepError(2, .statement(0)), .none, .none, .none, .none, .keepResult(2, .commit), .none, .finished(2, .failed),
      ])
  }

  @Test("a stale preparation inside of an open transaction is its end: what came before cannot be sent again from here")
  func staleInOpenTransaction() {
    for shape in [Machine.Shape.beginning, .end] {
      var machine = withPreparedA(isShared: false)
      _ = machine.send(1, [Self.a], shape)
      var replies: [Machine.Reply] = [.failure(.stalePreparation), .end, .sync]
      if shape == .beginning { replies = [.success, .end, .success, .end] + replies }
      if shape == .end { replies += [.success, .end, .success, .end, .sync] }
      #expect(machine.received(replies).last == .finished(1, .failed))
    }
  }

  @Test("a transaction is BEGIN, its statements and a Sync, then COMMIT and a Sync")
  func transaction() {
    var machine = withPreparedA()
    #expect(
      machine.send(1, [Self.a, Self.a], .transaction) == [
        .prepare(name(2), .begin, types: []), .execute(name(2), .begin),
        .execute(name(1), .statement(0)), .execute(name(1), .statement(1)), .sync,
        .prepare(name(3), .commit, types: []), .execute(name(3), .commit), .sync,
      ])
    let replies: [Machine.Reply] = [
      .success, .end, .success, .end, .success, .end, .success, .end, .sync, .success, .end, .success, .end, .sync,
    ]
    let actions = machine.received(replies)
    #expect(
      actions.filter { $0 != .none } == [
        .keepResult(1, .begin), .keepResult(1, .statement(0)), .keepResult(1, .statement(1)), .keepResult(1, .commit),
        .finished(1, .succeeded),
      ])
  }

  @Test("an error in a transaction skips to its first Sync; COMMIT then rolls back, and the call fails")
  func failedTransaction() {
    var machine = withPreparedA()
    _ = machine.send(1, [Self.a, Self.a], .transaction)
    _ = machine.send(2, [Self.a], .plain(mayResend: true))
    let begin: [Machine.Reply] = [.success, .end, .success, .end]
    let statements: [Machine.Reply] = [.failure(.ordinary), .end, .skipped, .end, .sync]
    let commit: [Machine.Reply] = [.success, .end, .success, .end, .sync]
    let actions = machine.received(begin + statements + commit)
    #expect(actions.contains(.keepError(1, .statement(0))))
    #expect(actions.last == .finished(1, .failed))
    #expect(machine.received([.success, .end, .sync]).last == .finished(2, .succeeded))
  }

  @Test("a stale preparation is forgotten, and its call sent again with its text")
  func stale() {
    var machine = withPreparedA()
    _ = machine.send(1, [Self.a], .plain(mayResend: true))
    #expect(
      machine.received([.failure(.stalePreparation), .end, .sync]) == [
        .keepError(1, .statement(0)), .none, .finished(1, .resend),
      ])
    #expect(
      machine.send(1, [Self.a], .plain(mayResend: true), isPreparing: false) == [.execute(nil, .statement(0)), .sync])
    #expect(
      machine.send(2, [Self.a], .plain(mayResend: true)) == [
        .prepare(name(2), .statement(0), types: []), .execute(name(2), .statement(0)), .sync,
      ])
  }

  @Test("in the caller's own transaction a stale preparation is an error, since the transaction has failed")
  func staleInTransaction() {
    var machine = withPreparedA(isShared: false)
    _ = machine.send(1, [Self.a], .plain(mayResend: false))
    #expect(machine.received([.failure(.stalePreparation), .end, .sync]).last == .finished(1, .failed))
  }

  @Test("a preparation that was skipped is not relied on later")
  func skippedPreparation() {
    var machine = withPreparedA()
    _ = machine.send(1, [Self.a, Self.b], .plain(mayResend: true))
    let replies: [Machine.Reply] = [.failure(.ordinary), .end, .skipped, .end, .skipped, .end, .sync]
    #expect(machine.received(replies).last == .finished(1, .failed))
    #expect(machine.send(2, [Self.b], .plain(mayResend: true)).first == .prepare(name(3), .statement(0), types: []))
  }

  @Test("reads that share a Sync succeed together")
  func group() {
    var machine = withPreparedA()
    #expect(
      machine.sendShared([1, 2, 3], [Self.a, Self.b, Self.a]) == [
        .execute(name(1), .statement(0)), .prepare(name(2), .statement(0), types: []),
        .execute(name(2), .statement(0)), .execute(name(1), .statement(0)), .sync,
      ])
    let replies: [Machine.Reply] = [.success, .end, .success, .end, .success, .end, .success, .end, .sync]
    let actions = machine.received(replies).filter { $0 != .none }
    #expect(
      actions == [
        .keepResult(1, .statement(0)), .keepResult(2, .statement(0)), .keepResult(3, .statement(0)),
        .groupFinished([1, 2, 3], outcomes: [.succeeded, .succeeded, .succeeded]),
      ])
  }

  @Test("when one read of a group fails, the others run again")
  func failedGroup() {
    var machine = withPreparedA()
    _ = machine.sendShared([1, 2, 3], [Self.a, Self.a, Self.a])
    let actions = machine.received([.success, .end, .failure(.ordinary), .end, .skipped, .end, .sync])
    #expect(actions.contains(.keepError(2, .statement(0))))
    #expect(actions.last == .groupFinished([1, 2, 3], outcomes: [.resend, .failed, .resend]))
  }

  @Test("a group that met a stale preparation runs again altogether")
  func staleGroup() {
    var machine = withPreparedA()
    _ = machine.sendShared([1, 2], [Self.a, Self.a])
    let actions = machine.received([.failure(.stalePreparation), .end, .skipped, .end, .sync])
    #expect(actions.last == .groupFinished([1, 2], outcomes: [.resend, .resend]))
  }

  @Test("rows are asked for one by one only once the preparation before them has been answered")
  func rows() {
    var machine = Machine(isShared: false)
    _ = machine.send(1, [Self.a], .rowByRow)
    #expect(
      machine.received([.success, .end, .row, .row, .success, .end, .sync]) == [
        .none, .beginRows(1), .keepRow(1), .keepRow(1), .keepResult(1, .statement(0)), .none, .finished(1, .succeeded),
      ])
  }

  @Test("after rows have been handed on, nothing is sent again")
  func staleAfterRows() {
    var machine = Machine(isShared: false)
    _ = machine.send(1, [Self.a], .rowByRow)
    let replies: [Machine.Reply] = [.success, .end, .row, .failure(.stalePreparation), .end, .sync]
    #expect(machine.received(replies).last == .finished(1, .failed))
  }

  @Test("COPY runs alone: from asking for data to the end, and not while anything else does")
  func copy() {
    var machine = withPreparedA(isShared: false)
    #expect(machine.sendAlone(1) == true)
    #expect(machine.sendAlone(2) == false)
    #expect(machine.received([.copyIn]) == [.sendCopyData(1)])
    #expect(machine.received([.success, .end]) == [.keepResult(1, .statement(0)), .finished(1, .succeeded)])
    #expect(machine.sendAlone(3) == true)
    #expect(machine.received([.failure(.ordinary), .end]) == [.keepError(3, .statement(0)), .finished(3, .failed)])
    _ = machine.send(4, [Self.a], .plain(mayResend: true))
    #expect(machine.sendAlone(5) == false)
  }

  @Test("a COMMIT that the server did not understand gives a shared connection up, a leased one's owner can roll back")
  func misunderstoodCommit() {
    let upToCommit: [Machine.Reply] = [
      .success, .end, .success, .end, .success, .end, .sync, .success, .end, .failure(.stalePreparation),
    ]
    for isShared in [true, false] {
      var machine = withPreparedA(isShared: isShared)
      _ = machine.send(1, [Self.a], .transaction)
      #expect(machine.received(upToCommit).last == (isShared ? .desynchronized : .keepError(1, .commit)))
    }
  }

  @Test("somebody's transaction on a shared connection gives it up")
  func foreignTransaction() {
    var shared = withPreparedA()
    _ = shared.send(1, [Self.a], .plain(mayResend: true))
    #expect(shared.received(.failure(.inFailedTransaction)) == .desynchronized)
    var leased = withPreparedA(isShared: false)
    _ = leased.send(1, [Self.a], .plain(mayResend: false))
    #expect(leased.received(.failure(.inFailedTransaction)) == .keepError(1, .statement(0)))
  }

  @Test("replies that nothing explains give the connection up")
  func desynchronized() {
    for reply in [Machine.Reply.success, .row, .failure(.ordinary), .skipped, .end, .sync, .copyIn] {
      var machine = Machine(isShared: true)
      #expect(machine.received(reply) == .desynchronized)
    }
    for reply in [Machine.Reply.row, .sync, .copyIn] {
      var machine = withPreparedA()
      _ = machine.send(1, [Self.a], .plain(mayResend: true))
      #expect(machine.received(reply) == .desynchronized)
    }
  }

  @Test("a lost connection names every call that has not ended, once and in order")
  func lost() {
    var machine = withPreparedA()
    _ = machine.send(1, [Self.a, Self.b], .plain(mayResend: true))
    _ = machine.send(2, [Self.a], .transaction)
    _ = machine.sendShared([3, 4], [Self.a, Self.a])
    _ = machine.received([.success, .end])
    #expect(machine.connectionLost() == [1, 2, 3, 4])
    #expect(!machine.expectsReplies)
  }
}

extension PGConnectionStateMachine {
  fileprivate mutating func received(_ replies: [Reply]) -> [Action] {
    replies.map { received($0) }
  }
}
