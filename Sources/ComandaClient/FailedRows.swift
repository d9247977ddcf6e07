import ComandaProtos
import ComandaRPC

/// The failed rows of an import, in their order, fetched page by page as they are asked for.
public struct FailedRows: AsyncSequence, Sendable {
  private let imports: Comanda_V1_BatchImportService.Client
  private let importID: String
  private let pageSize: Int32
  private let settings: RetrySettings

  /// The failed rows of an import.
  /// - Parameter pageSize: how many to fetch at a time, 1 to 1,000.
  public init(
    of importID: String, from imports: Comanda_V1_BatchImportService.Client, pageSize: Int = 1000,
    settings: RetrySettings = RetrySettings()
  ) {
    self.imports = imports
    self.importID = importID
    self.pageSize = Int32(Swift.min(Swift.max(pageSize, 1), 1000))
    self.settings = settings
  }

  /// Hands out one row after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let rows: FailedRows
    fileprivate var page: [Comanda_V1_ImportRowResult] = []
    fileprivate var next = 0
    fileprivate var token: String?

    /// The next failed row.
    /// - Throws: `RPCError`; a server that is away is waited for, as long as the settings allow at the start.
    public mutating func next() async throws -> Comanda_V1_ImportRowResult? {
      while next == page.count {
        if token == "" { return nil }
        let response = try await rows.fetch(token ?? "")
        page = response.rows
        token = response.nextPageToken
        next = 0
      }
      defer { next += 1 }
      return page[next]
    }
  }

  /// Starts at the first failed row.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(rows: self)
  }

  private func fetch(_ token: String) async throws -> Comanda_V1_ListImportRowsResponse {
    try await settings.retryingAtStart {
      try await imports.listImportRows(
        .with {
          $0.importID = importID
          $0.outcomes = [.failed]
          $0.pageSize = pageSize
          $0.pageToken = token
        })
    }
  }
}
