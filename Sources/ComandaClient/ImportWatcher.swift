import ComandaProtos
import ComandaRPC

/// Follows an import to its end, through lost connections and restarts of the server.
public struct ImportWatcher: Sendable {
  private let imports: Comanda_V1_BatchImportService.Client
  private let settings: RetrySettings

  /// A watcher of imports that this client sees.
  public init(_ imports: Comanda_V1_BatchImportService.Client, settings: RetrySettings = RetrySettings()) {
    self.imports = imports
    self.settings = settings
  }

  /// Follows an import until it is final, or parked. While the server answers, it may stand still for any time.
  /// - Throws: ``ImportFailure``; `CancellationError`.
  public func watch(
    _ importID: String, onEvent: @escaping @Sendable (ImportEvent) -> Void
  ) async throws -> FinishedImport {
    let mark = ProgressMark()
    mark.uploaded()
    return try await follow(importID, mark: mark, onEvent: onEvent)
  }

  /// Follows an import while other work of it goes on beside; that work's failure is the result's failure.
  func follow(
    _ importID: String, mark: ProgressMark, onEvent: @escaping @Sendable (ImportEvent) -> Void,
    beside work: (@Sendable () async throws -> Void)? = nil
  ) async throws -> FinishedImport {
    try await withThrowingTaskGroup(of: Comanda_V1_ImportProgress?.self) { group in
      defer { group.cancelAll() }
      if let work {
        group.addTask {
          try await work()
          return nil
        }
      }
      group.addTask { try await finalProgress(of: importID, mark: mark, onEvent: onEvent) }
      group.addTask {
        try await guardPatience(with: importID, mark: mark)
        return nil
      }
      while let result = try await group.next() {
        if let result { return FinishedImport(importID: importID, progress: result) }
      }
      throw CancellationError()
    }
  }

  private func finalProgress(
    of importID: String, mark: ProgressMark, onEvent: @Sendable (ImportEvent) -> Void
  ) async throws -> Comanda_V1_ImportProgress {
    var pacing = RetryPacing(settings)
    var random = SystemRandomNumberGenerator()
    var sequence: Int64 = 0
    while true {
      do {
        let request = Comanda_V1_WatchImportRequest.with {
          $0.importID = importID
          $0.afterSequence = sequence
        }
        for try await progress in try await imports.watchImport(request) {
          sequence = max(sequence, progress.sequence)
          mark.saw(sequence: progress.sequence, committedRow: progress.committedRow)
          onEvent(.progress(progress))
          if progress.state.isFinal { return progress }
          if progress.state.isFaulted { throw ImportFailure.faulted(importID: importID) }
        }
        throw RPCError(.unavailable, "the server ended the watch before the import's end")
      } catch let error as RPCError {
        try Task.checkCancellation()
        guard let pause = pacing.pause(after: error, progress: mark.movements, using: &random) else {
          throw ImportFailure.refused(importID: importID, error)
        }
        mark.failed(error)
        onEvent(.interrupted(error))
        try await Task.sleep(for: pause)
      }
    }
  }

  /// Ends, by throwing, when the import has stood still for too long. Once everything is uploaded, standing still is
  /// the server's business, as long as it answers.
  private func guardPatience(with importID: String, mark: ProgressMark) async throws {
    while true {
      let due = mark.movedAt + settings.patience
      if ContinuousClock.now < due {
        try await Task.sleep(until: due, clock: .continuous)
        continue
      }
      guard mark.isUploaded, await answers(for: importID) else {
        throw ImportFailure.stalled(importID: importID, after: settings.patience, mark.lastFailure)
      }
      mark.excuse()
    }
  }

  private func answers(for importID: String) async -> Bool {
    do {
      _ = try await imports.getImport(.with { $0.importID = importID })
      return true
    } catch {
      return false
    }
  }
}
