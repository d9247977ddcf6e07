import ComandaDomain
import Logging

/// Turns staged rows into orders, in the background: one task an import, several imports at a time.
///
/// Work is found in two ways: an upload of this server says that rows have come, and every ``sweepInterval`` the store
/// is asked for imports that nobody works on (those of a server that died). An import is leased; whoever holds an older
/// lease can change nothing, so two servers may run at once and a dead one is replaced when its lease has run out.
public struct ImportApplier: Sendable {
  /// Rows of one transaction.
  static let chunkRows = 1_000
  /// Imports applied at a time: their transactions share the database's cores with everybody else's calls.
  static let concurrency = 4
  /// How long a dead server's lease holds up an import, in seconds.
  static let leaseSeconds = 5
  static let sweepInterval = Duration.seconds(1)
  /// Businesses found in one sweep.
  static let sweptBusinesses = 100
  /// How long to stay with an import whose rows are still coming before its lease goes back.
  static let patience = Duration.milliseconds(200)
  /// Pause after an error of the store.
  static let recovery = Duration.milliseconds(500)

  private let imports: any ImportStore
  private let queue: ImportQueue
  private let news: ImportNews
  private let logger: Logger

  /// An applier over these imports.
  public init(imports: any ImportStore, queue: ImportQueue, news: ImportNews, logger: Logger) {
    self.imports = imports
    self.queue = queue
    self.news = news
    self.logger = logger
  }

  /// Applies until its task is cancelled; the transaction under way is then rolled back, and whoever comes next does it.
  public func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await sweep() }
      while !Task.isCancelled {
        var (businesses, room) = await queue.take(active: Self.concurrency, atMost: Self.sweepInterval)
        while room > 0, let business = businesses.popFirst() {
          for lease in await leases(of: business, limit: room) {
            room -= 1
            queue.began(lease.importID)
            group.addTask {
              await apply(lease)
              queue.ended(lease.importID, of: business)
            }
          }
        }
        if !businesses.isEmpty { queue.add(businesses) }
      }
      group.cancelAll()
    }
  }

  private func leases(of business: BusinessID, limit: Int) async -> [ImportLease] {
    do {
      return try await imports.lease(of: business, limit: limit, seconds: Self.leaseSeconds)
    } catch {
      await pause(after: error, "imports cannot be leased")
      return []
    }
  }

  /// Applies one import until its rows are through, or none came for a while.
  private func apply(_ lease: ImportLease) async {
    await news.watching(lease.importID) { bell in
      var wasIdle = false
      while !Task.isCancelled {
        do {
          switch try await imports.applyNext(lease, limit: Self.chunkRows, seconds: Self.leaseSeconds) {
          case .applied:
            wasIdle = false
            news.changed(lease.importID)
          case .idle:
            if wasIdle { return await release(lease) }
            wasIdle = true
            await bell.wait(atMost: Self.patience)
          case .ended(let progress):
            news.changed(lease.importID)
            logger.info("an import has ended", metadata: Self.metadata(of: lease, progress))
            return
          case .leaseLost:
            return
          }
        } catch {
          await pause(after: error, "rows cannot be applied now")
        }
      }
    }
  }

  private func release(_ lease: ImportLease) async {
    do {
      try await imports.release(lease)
    } catch {
      await pause(after: error, "a lease cannot be given back; it runs out by itself")
    }
  }

  /// Looks for imports that nobody works on.
  private func sweep() async {
    while !Task.isCancelled {
      do {
        let businesses = try await imports.businessesWithWork(limit: Self.sweptBusinesses)
        if !businesses.isEmpty { queue.add(businesses) }
      } catch {
        await pause(after: error, "the store cannot be asked for unfinished imports")
      }
      try? await Task.sleep(for: Self.sweepInterval)
    }
  }

  private func pause(after error: any Error, _ message: Logger.Message) async {
    if Task.isCancelled { return }
    logger.warning(message, metadata: ["error": "\(error)"])
    try? await Task.sleep(for: Self.recovery)
  }

  private static func metadata(of lease: ImportLease, _ progress: ImportProgress) -> Logger.Metadata {
    [
      "import": "\(lease.importID)", "business": "\(lease.businessID)", "state": "\(progress.state.schemaName)",
      "applied": "\(progress.counts.applied)", "unchanged": "\(progress.counts.unchanged)",
      "failed": "\(progress.counts.failed)",
    ]
  }
}
