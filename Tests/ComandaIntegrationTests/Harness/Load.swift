import ComandaClient
import ComandaProtos
import ComandaRPC
import ComandaTestRun
import Foundation
import Synchronization

/// Callers, watchers and uploaders who go on until they are stopped, and write down what fails.
final class Load: ClientInterceptor {
  /// What has happened so far.
  struct Counts {
    /// Unary calls that ended.
    var calls = 0
    /// Further attempts of them, which the client made by itself.
    var retries = 0
    /// Health watches that a server ended to be restarted, and that went on elsewhere.
    var watchesResumed = 0
    var uploads = 0
    /// Uploads and watches of imports that were interrupted, and went on.
    var importsResumed = 0
  }

  private struct State {
    var counts = Counts()
    var created: [String] = []
    var failures: [String] = []
    var isStopped = false
  }

  private let state = Mutex(State())

  var counts: Counts { state.withLock(\.counts) }
  var failures: [String] { state.withLock(\.failures) }
  /// The external ids of the orders that calls have created.
  var createdOrders: [String] { state.withLock(\.created) }
  private var isStopped: Bool { state.withLock(\.isStopped) }

  func stop() {
    state.withLock { $0.isStopped = true }
  }

  /// Waits until so many more calls have ended.
  func awaitCalls(_ count: Int) async throws {
    let goal = counts.calls + count
    try await eventually("\(count) more calls end", explain: { "\(self.failures.suffix(3))" }) { counts.calls >= goal }
  }

  func callEnded(_ context: ClientCallContext, _ outcome: ClientCallOutcome) {
    guard context.method.kind == .unary else { return }
    state.withLock {
      $0.counts.calls += 1
      $0.counts.retries += outcome.attempts - 1
    }
  }

  private func failed(_ what: String, _ error: any Error) {
    state.withLock { $0.failures.append("\(what): \(error)") }
  }

  /// Creates orders, reads them back and lists them.
  func callOrders(_ client: ComandaClient) async throws {
    while !isStopped {
      let draft = Comanda_V1_OrderDraft.sample()
      do {
        let order = try await client.orders.createOrder(.init(draft, requestID: UUID().uuidString))
        state.withLock { $0.created.append(draft.externalID) }
        let found = try await client.orders.getOrder(.with { $0.orderID = order.orderID })
        if found != order { failed("GetOrder", HarnessError("another order")) }
        _ = try await client.orders.listOrders(.with { $0.pageSize = 5 })
      } catch {
        failed("a call", error)
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Watches the health of whatever server there is; a watch may end only by a server that stops, or is gone.
  func watchHealth(_ client: ComandaClient) async throws {
    let watching = Task {
      while !Task.isCancelled {
        do {
          let states = try await client.health.watchHealth(.init(), options: CallOptions(waitsForReady: true))
          for try await _ in states {}
          failed("WatchHealth", HarnessError("it ended with OK"))
        } catch let error as RPCError where error.code == .unavailable {
          state.withLock { $0.counts.watchesResumed += 1 }
        } catch {
          if !Task.isCancelled { failed("WatchHealth", error) }
        }
      }
    }
    while !isStopped { try await Task.sleep(for: .milliseconds(20)) }
    watching.cancel()
    await watching.value
  }

  /// Uploads one file after the other, and watches each beside its uploader; returns all their orders.
  func upload(_ client: ComandaClient, uploader: Int) async throws -> [String] {
    let sample = try String(contentsOfFile: await SampleFile.make(orders: 1_500), encoding: .utf8)
    let directory = try TestRun.makeDirectory("uploads")
    var orders: [String] = []
    var number = 0
    while !isStopped {
      number += 1
      let path = "\(directory)/\(number).csv"
      let prefix = "U\(uploader)-\(number)-"
      try Data(sample.replacing("S-", with: prefix).utf8).write(to: URL(filePath: path))
      do {
        let finished = try await uploadAndWatch(client, path)
        if finished.progress.appliedRows != 1_500 { failed("an upload", HarnessError("\(finished.progress)")) }
      } catch {
        failed("an upload", error)
      }
      state.withLock { $0.counts.uploads += 1 }
      orders += SampleFile.externalIDs(1_500).map { prefix + $0.dropFirst(2) }
    }
    return orders
  }

  private func uploadAndWatch(_ client: ComandaClient, _ path: String) async throws -> FinishedImport {
    let (ids, began) = AsyncStream<String>.makeStream()
    return try await withThrowingTaskGroup(of: FinishedImport.self) { group in
      group.addTask {
        defer { began.finish() }
        return try await ImportUploader(client.imports).run(OrderFile(path: path)) { event in
          if case .started(let start) = event { began.yield(start.importID) }
          self.count(event)
        }
      }
      for await id in ids.prefix(1) {
        group.addTask { try await ImportWatcher(client.imports).watch(id) { self.count($0) } }
      }
      var last: FinishedImport?
      for try await finished in group {
        if !finished.progress.state.isFinal { failed("a watch", HarnessError("it ended with \(finished)")) }
        last = finished
      }
      guard let last else { throw HarnessError("no import came about") }
      return last
    }
  }

  private func count(_ event: ImportEvent) {
    if case .interrupted = event { state.withLock { $0.counts.importsResumed += 1 } }
  }
}
