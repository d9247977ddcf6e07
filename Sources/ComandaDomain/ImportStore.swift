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

  /// Imports in one of the states, all when there are none, with this group if it is not empty; the newest first. A page
  /// is shorter than asked for where its header lines would exceed a megabyte.
  func list(
    states: Set<ImportState>, group: String, of business: BusinessID, page: PageRequest<ImportID>
  ) async throws -> Page<Import, ImportID>

  /// The rows of an import in order, those with one of the outcomes; all when there are none. Failed rows come with
  /// their source lines. A page is shorter than asked for where source lines and problems would exceed a megabyte.
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

  /// Has a faulted import worked on again, from where it stopped; one that runs stays as it is.
  ///
  /// - Throws: ``DomainError/notFound(_:id:)``, ``DomainError/importNotOpen(_:)`` when it is final.
  func resume(_ id: ImportID, of business: BusinessID, by mutation: Mutation) async throws -> Import

  /// Businesses whose imports have work that is due, in the order of their ids, at most `limit`, from the one after
  /// `last` on; those of the beginning when that is nil.
  func businessesWithWork(after last: BusinessID?, limit: Int) async throws -> [BusinessID]

  /// Applies the next rows, at most `limit`, of the import that has waited longest among those of a business that have
  /// work which is due and that nobody else is applying at this moment. One transaction, which holds the import until
  /// its end and leaves nothing held.
  ///
  /// A row that the database refuses fails, and the others go on. Any other fault that does not pass by itself is
  /// counted, the import is tried again after a pause that grows, and after ``ImportFaults/limit`` in a row it is parked.
  func applyNext(of business: BusinessID, limit: Int) async throws -> Application
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

/// What became of one step of applying.
public enum Application: Hashable, Sendable {
  /// Rows of an import got their outcome; there may be more.
  case applied(ImportID, rows: Int, ImportProgress)
  /// No import of the business has work that is due, but for those that others are applying at this moment.
  case idle
  /// An import has ended.
  case ended(ImportID, ImportProgress)
  /// The next rows of an import could not be applied. It is tried again after a pause, or, when it is parked, once it
  /// was resumed.
  case faulted(ImportID, isParked: Bool)
}

/// How often an import is tried whose next rows cannot be applied for a reason that is not known to pass.
public enum ImportFaults {
  /// Faults in a row after which it is parked.
  public static let limit = 5
  /// The pause after a fault is drawn from 0 to this, in seconds, and twice as much after each further one, so that
  /// servers and imports that failed together do not come back together.
  public static let firstPause = 0.2
  /// The longest pause, in seconds.
  public static let longestPause = 10.0
}
