/// Where imports are kept while and after they run. Every call works inside one business.
///
/// All calls throw ``DomainError``, or `CancellationError` when the calling task was cancelled.
public protocol ImportStore: Sendable {
  /// Creates an import, or finds the one that the same request created before.
  ///
  /// - Throws: ``DomainError/requestIDReused``.
  func create(
    _ id: ImportID, _ description: ImportDescription, in business: BusinessID, by mutation: Mutation
  ) async throws -> Import

  /// The import with its progress, or nil.
  func find(_ id: ImportID, of business: BusinessID) async throws -> Import?

  /// Only how far the import is, or nil: what a watcher polls.
  func progress(of id: ImportID, of business: BusinessID) async throws -> ImportProgress?

  /// Imports in one of the states, all when there are none, with this group if it is not empty; the newest first.
  func list(
    states: Set<ImportState>, group: String, of business: BusinessID, page: PageRequest<ImportID>
  ) async throws -> Page<Import, ImportID>

  /// The rows of an import in order, those with one of the outcomes; all when there are none. Failed rows come with
  /// their source lines. A page is shorter than asked for where its source lines would exceed a megabyte.
  func rows(
    of id: ImportID, of business: BusinessID, outcomes: Set<RowOutcome>, page: PageRequest<Int64>
  ) async throws -> Page<ImportRow, Int64>

  /// Makes a chunk durable and moves the watermark, in one transaction. Duplicates within the import are decided here.
  func stage(_ chunk: StagedChunk) async throws -> Staging

  /// Seals an import: no chunk is taken any more, and it ends once all its rows are applied. Sealing it again with the
  /// same numbers answers as the first time did.
  ///
  /// - Throws: ``DomainError/notFound(_:id:)``, ``DomainError/finishMismatch(totalRows:committedRow:)``,
  ///   ``DomainError/fileDiffers``, ``DomainError/importNotOpen(_:)``.
  func finish(
    _ id: ImportID, totalRows: Int64, fileSHA256: SHA256Digest, of business: BusinessID, by mutation: Mutation
  ) async throws -> Import

  /// Calls an import off. Once this answers no further row is applied; canceling it again answers the same.
  ///
  /// - Throws: ``DomainError/notFound(_:id:)``, ``DomainError/importNotOpen(_:)`` when it is completed.
  func cancel(_ id: ImportID, of business: BusinessID, by mutation: Mutation) async throws -> Import

  /// Businesses whose imports have rows to apply that nobody works on, at most `limit`.
  func businessesWithWork(limit: Int) async throws -> [BusinessID]

  /// Takes on imports of a business that have work, at most `limit`. A lease that is not used for `seconds` falls to the
  /// next who asks; the database's clock decides.
  func lease(of business: BusinessID, limit: Int, seconds: Int) async throws -> [ImportLease]

  /// Applies the next rows of a leased import, at most `limit`, in one transaction, and renews the lease.
  func applyNext(_ lease: ImportLease, limit: Int, seconds: Int) async throws -> Application

  /// Gives a lease back, so that the next need not wait for its end. A lease lost meanwhile is none of its business.
  func release(_ lease: ImportLease) async throws
}

/// What became of a chunk.
public enum Staging: Hashable, Sendable {
  /// It is durable; the watermark is now at its last row.
  case staged(committedRow: Int64)
  /// It was durable already, and is the same.
  case duplicate(committedRow: Int64)
  /// Its rows are durable already, with other content.
  case conflict(committedRow: Int64)
  /// It does not begin right after the watermark.
  case outOfRange(committedRow: Int64)
  /// Another uploader of the same import was faster; ask where it is and go on there.
  case aborted
  /// The import is sealed, completed or canceled.
  case notOpen(ImportState)
  /// There is no such import.
  case notFound
}

/// The right to apply one import, until another takes it.
public struct ImportLease: Hashable, Sendable {
  /// Whose import it is.
  public let businessID: BusinessID
  /// The import.
  public let importID: ImportID
  /// Rises each time the lease changes hands; who holds an older one can change nothing any more.
  public let fence: Int64

  /// Makes a lease.
  public init(businessID: BusinessID, importID: ImportID, fence: Int64) {
    self.businessID = businessID
    self.importID = importID
    self.fence = fence
  }
}

/// What became of one step of applying.
public enum Application: Hashable, Sendable {
  /// Rows got their outcome; there may be more.
  case applied(rows: Int, ImportProgress)
  /// Nothing to do until more rows arrive.
  case idle
  /// The import has ended.
  case ended(ImportProgress)
  /// Another holds the lease, or the import was canceled.
  case leaseLost
}
