/// An import: one file of orders, uploaded in chunks, applied in row order while the upload still runs.
public struct Import: Hashable, Sendable {
  /// The platform's id.
  public let id: ImportID
  /// Whose orders these are.
  public let businessID: BusinessID
  /// What its creator said about it.
  public let description: ImportDescription
  /// Who created it.
  public let createdBy: TokenID
  /// When it was created.
  public let createdAt: Timestamp
  /// When `Finish` sealed it, if it did.
  public let sealedAt: Timestamp?
  /// When the last row was applied, or the import was canceled.
  public let endedAt: Timestamp?
  /// How far it is.
  public let progress: ImportProgress

  /// Makes an import as it was stored.
  public init(
    id: ImportID, businessID: BusinessID, description: ImportDescription, createdBy: TokenID, createdAt: Timestamp,
    sealedAt: Timestamp?, endedAt: Timestamp?, progress: ImportProgress
  ) {
    self.id = id
    self.businessID = businessID
    self.description = description
    self.createdBy = createdBy
    self.createdAt = createdAt
    self.sealedAt = sealedAt
    self.endedAt = endedAt
    self.progress = progress
  }
}

/// What the creator of an import says about it.
public struct ImportDescription: Hashable, Sendable {
  /// Where the rows come from, usually a file's name.
  public var sourceName: String
  /// A name that joins several imports of one occasion; empty for none.
  public var group: String
  /// The SHA-256 of the whole file, where it is known before the upload.
  public var fileSHA256: SHA256Digest?
  /// A hash of how the client turned columns into fields. An upload is resumed only under the same mapping.
  public var mappingSHA256: SHA256Digest?
  /// How many rows the client expects, where it knows.
  public var expectedRows: Int64?
  /// What happens to the good rows when there are bad ones.
  public var policy: ImportPolicy
  /// What applies to rows that say nothing.
  public var defaults: OrderDefaults

  /// Makes a description.
  public init(
    sourceName: String, group: String = "", fileSHA256: SHA256Digest? = nil, mappingSHA256: SHA256Digest? = nil,
    expectedRows: Int64? = nil, policy: ImportPolicy = .rejectFailedRows, defaults: OrderDefaults = OrderDefaults()
  ) {
    self.sourceName = sourceName
    self.group = group
    self.fileSHA256 = fileSHA256
    self.mappingSHA256 = mappingSHA256
    self.expectedRows = expectedRows
    self.policy = policy
    self.defaults = defaults
  }
}

/// What happens to the good rows of an import that has bad ones.
public enum ImportPolicy: Int16, Hashable, Sendable, CaseIterable {
  /// Good rows are applied, each bad one fails by itself.
  case rejectFailedRows = 1
}

/// The phases of an import. The last two are final.
///
/// ```
/// RECEIVING ──Finish──→ APPLYING ──last row──→ COMPLETED
///     └────────cancel───────┴──→ CANCELED
/// ```
public enum ImportState: Int16, Hashable, Sendable, CaseIterable {
  /// Chunks are taken, and applied as they come. An import whose upload was cut stays here.
  case receiving = 1
  /// Sealed: no more chunks are taken, the rest is being applied.
  case applying = 2
  /// Every row has its final outcome.
  case completed = 3
  /// Called off; rows that were not applied stay unprocessed.
  case canceled = 4

  /// Whether nothing changes any more.
  public var isFinal: Bool { self == .completed || self == .canceled }
}

extension ImportState: SchemaNamed {
  /// The name in the schema.
  public var schemaName: String {
    switch self {
    case .receiving: "RECEIVING"
    case .applying: "APPLYING"
    case .completed: "COMPLETED"
    case .canceled: "CANCELED"
    }
  }
}

/// How far an import is.
public struct ImportProgress: Hashable, Sendable {
  /// Rises with every commit that changes the import, and survives crashes: a watcher asks for what is newer.
  public let sequence: Int64
  /// The phase.
  public let state: ImportState
  /// Rows 1 to this one are durable; an upload goes on with the next.
  public let committedRow: Int64
  /// Rows 1 to this one have their final outcome.
  public let appliedRow: Int64
  /// How many rows there are in all; known once the import is sealed.
  public let totalRows: Int64?
  /// The rows by outcome.
  public let counts: ImportCounts
  /// The store's time when this was read.
  public let at: Timestamp

  /// Makes a progress as it was read.
  public init(
    sequence: Int64, state: ImportState, committedRow: Int64, appliedRow: Int64, totalRows: Int64?,
    counts: ImportCounts, at: Timestamp
  ) {
    self.sequence = sequence
    self.state = state
    self.committedRow = committedRow
    self.appliedRow = appliedRow
    self.totalRows = totalRows
    self.counts = counts
    self.at = at
  }
}

/// The rows of an import by outcome. While it runs, rows that wait are in none; at its end they add up to all rows.
public struct ImportCounts: Hashable, Sendable {
  /// Rows that became an order.
  public let applied: Int64
  /// Rows whose order was there already, with the same content.
  public let unchanged: Int64
  /// Rows that were refused.
  public let failed: Int64
  /// Rows that were never looked at, since the import ended before.
  public let unprocessed: Int64

  /// Makes counts.
  public init(applied: Int64, unchanged: Int64, failed: Int64, unprocessed: Int64) {
    self.applied = applied
    self.unchanged = unchanged
    self.failed = failed
    self.unprocessed = unprocessed
  }
}
