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
  /// When its creator's side last changed it: a chunk, the seal, the end.
  public let updatedAt: Timestamp
  /// When `Finish` sealed it, if it did.
  public let sealedAt: Timestamp?
  /// When the last row was applied, or the import was canceled.
  public let endedAt: Timestamp?
  /// How far it is.
  public let progress: ImportProgress

  /// Most imports of one business that are not final: each is looked at whenever the business has its turn.
  public static let unfinishedLimit = 100

  /// Makes an import as it was stored.
  public init(
    id: ImportID, businessID: BusinessID, description: ImportDescription, createdBy: TokenID, createdAt: Timestamp,
    updatedAt: Timestamp, sealedAt: Timestamp?, endedAt: Timestamp?, progress: ImportProgress
  ) {
    self.id = id
    self.businessID = businessID
    self.description = description
    self.createdBy = createdBy
    self.createdAt = createdAt
    self.updatedAt = updatedAt
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
  /// Whether applied orders want to be paid through the platform; false when they are paid elsewhere.
  public var createsPayments: Bool
  /// Whether customers of applied orders are notified; false when they know already.
  public var createsNotifications: Bool
  /// The header line of the file as it is there, for the report of failed rows; empty when there is none.
  public var sourceHeader: [UInt8]

  /// Makes a description.
  public init(
    sourceName: String, group: String = "", fileSHA256: SHA256Digest? = nil, mappingSHA256: SHA256Digest? = nil,
    expectedRows: Int64? = nil, policy: ImportPolicy = .rejectFailedRows, defaults: OrderDefaults = OrderDefaults(),
    createsPayments: Bool = true, createsNotifications: Bool = true, sourceHeader: [UInt8] = []
  ) {
    self.sourceName = sourceName
    self.group = group
    self.fileSHA256 = fileSHA256
    self.mappingSHA256 = mappingSHA256
    self.expectedRows = expectedRows
    self.policy = policy
    self.defaults = defaults
    self.createsPayments = createsPayments
    self.createsNotifications = createsNotifications
    self.sourceHeader = sourceHeader
  }

  /// Longest source name and longest group, in Unicode scalars, and longest header, in bytes.
  public static let (sourceNameLength, groupLength, sourceHeaderLength) = (255, 128, 16 * 1_024)
  /// Most rows that a client may expect: a thousand times more than any import yet, and far from where sums overflow.
  public static let expectedRowsLimit: Int64 = 1_000_000_000

  /// Everything that is wrong with the description; empty when nothing is.
  public var violations: [FieldViolation] {
    var found: [FieldViolation] = []
    if sourceName.isEmpty {
      found.append(FieldViolation(field: "spec.source_name", problem: .missing(expected: "the name of the file")))
    }
    for (text, field, limit) in [
      (sourceName, "spec.source_name", Self.sourceNameLength), (group, "spec.group", Self.groupLength),
    ] {
      found += textProblems(text, limit: limit).map { FieldViolation(field: field, problem: $0) }
    }
    if let expectedRows, expectedRows < 0 || expectedRows > Self.expectedRowsLimit {
      found.append(
        FieldViolation(
          field: "spec.expected_rows",
          problem: .outOfRange(
            value: "\(expectedRows)", allowed: "between 0 for not known and \(Self.expectedRowsLimit)")))
    }
    if sourceHeader.count > Self.sourceHeaderLength {
      found.append(
        FieldViolation(
          field: "spec.source_header", problem: .tooLong(length: sourceHeader.count, limit: Self.sourceHeaderLength)))
    }
    return found
  }
}

/// What happens to the good rows of an import that has bad ones.
public enum ImportPolicy: Int16, Hashable, Sendable, CaseIterable {
  /// Good rows are applied, each bad one fails by itself.
  case rejectFailedRows = 1
}

/// The phases of an import. COMPLETED and CANCELED are final.
///
/// ```
/// RECEIVING ──Finish──→ APPLYING ──last row──→ COMPLETED
///     └────────cancel───────┴──→ CANCELED
/// ```
///
/// From RECEIVING and APPLYING, faults in a row lead to FAULTED; resuming leads back. Rows may come and `Finish` may seal
/// an import that is FAULTED, and it may be canceled.
public enum ImportState: Int16, Hashable, Sendable, CaseIterable {
  /// Chunks are taken, and applied as they come. An import whose upload was cut stays here.
  case receiving = 1
  /// Sealed: no more chunks are taken, the rest is being applied.
  case applying = 2
  /// Every row has its final outcome.
  case completed = 3
  /// Called off; rows that were not applied stay unprocessed.
  case canceled = 4
  /// Its next rows could not be applied several times in a row; nobody tries again before it is resumed.
  case faulted = 9

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
    case .faulted: "FAULTED"
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

/// The rows of an import by outcome. While it runs, rows that wait are in none; at its end they add up to the
/// committed rows.
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
