import ComandaDomain
import Logging
import NIOCore

/// Turns staged rows into orders, in the background.
///
/// A few workers take turns that rotate over the businesses, one chunk of one import a turn (``ImportTurns``), so that a
/// small import never waits for a large one to end. A chunk is one transaction that holds its import; nothing is held
/// between two turns. So any number of servers work side by side, and where one stops, for whatever reason, any other
/// goes on.
///
/// Work is found in two ways: an upload of this server says that rows have come, and every ``sweepInterval`` the store
/// is searched.
public struct ImportApplier: Sendable {
  /// Rows of one transaction, and so of one turn: some 40 ms of the database's work.
  static let chunkRows = 1_000
  /// Chunks applied at a time. The database does the work, and where it is as large as this server, more of them than
  /// cores gain nothing. Three keep a larger one busy, and leave a connection of those for imports to uploads.
  static let workers = min(max(System.coreCount, 1), 3)
  static let sweepInterval = Duration.seconds(1)
  /// Businesses found in one sweep; the next sweep goes on behind them.
  static let sweptBusinesses = 100

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

  /// Applies until its task is cancelled; transactions under way are then rolled back, and whoever comes next does them.
  public func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await sweep() }
      while !Task.isCancelled {
        while let turn = queue.next() {
          group.addTask { queue.ended(turn, await take(turn)) }
        }
        await queue.wait()
      }
      group.cancelAll()
    }
  }

  /// Applies one chunk.
  private func take(_ turn: ImportTurns.Turn) async -> ImportTurns.Outcome {
    do {
      switch try await imports.applyNext(of: turn.business, limit: Self.chunkRows) {
      case .applied(let id, _, _):
        news.changed(id)
        return .more
      case .ended(let id, let progress):
        news.changed(id)
        logger.info("an import has ended", metadata: Self.metadata(of: id, turn.business, progress))
        return .more
      case .faulted(let id, let isParked):
        news.changed(id)
        report(id, of: turn.business, isParked: isParked)
        return .more
      case .idle:
        return .nothing
      }
    } catch {
      if !Task.isCancelled {
        logger.warning(
          "rows cannot be applied now", metadata: ["business": "\(turn.business)", "error": "\(error)"])
      }
      return .failed
    }
  }

  /// Searches the store, some businesses at a time.
  private func sweep() async {
    var last: BusinessID?
    while !Task.isCancelled {
      do {
        let businesses = try await imports.businessesWithWork(after: last, limit: Self.sweptBusinesses)
        if !businesses.isEmpty { queue.found(businesses) }
        last = businesses.count < Self.sweptBusinesses ? nil : businesses.last
      } catch {
        if !Task.isCancelled {
          logger.warning("the store cannot be asked for unfinished imports", metadata: ["error": "\(error)"])
        }
      }
      try? await Task.sleep(for: Self.sweepInterval)
    }
  }

  private func report(_ id: ImportID, of business: BusinessID, isParked: Bool) {
    let metadata: Logger.Metadata = ["import": "\(id)", "business": "\(business)"]
    if isParked {
      logger.error("an import is FAULTED: its next rows cannot be applied until it is resumed", metadata: metadata)
    } else {
      logger.warning("the next rows of an import cannot be applied; they are tried again", metadata: metadata)
    }
  }

  private static func metadata(of id: ImportID, _ business: BusinessID, _ progress: ImportProgress) -> Logger.Metadata {
    [
      "import": "\(id)", "business": "\(business)", "state": "\(progress.state.schemaName)",
      "applied": "\(progress.counts.applied)", "unchanged": "\(progress.counts.unchanged)",
      "failed": "\(progress.counts.failed)",
    ]
  }
}
