import ComandaClient
import ComandaProtos

/// The one object that `comanda import --json` prints.
struct ImportResultJSON: Encodable {
  let importID: String
  let rows: Int64
  let applied: Int64
  let unchanged: Int64
  let failed: Int64
  let unprocessed: Int64
  let seconds: Double

  enum CodingKeys: String, CodingKey {
    case importID = "import_id"
    case rows, applied, unchanged, failed, unprocessed, seconds
  }

  init(_ finished: FinishedImport, elapsed: Duration) {
    importID = finished.importID
    rows = finished.progress.committedRow
    applied = finished.progress.appliedRows
    unchanged = finished.progress.unchangedRows
    failed = finished.progress.failedRows
    unprocessed = finished.progress.unprocessedRows
    seconds = NumberText.seconds(elapsed, decimals: 3)
  }
}

/// The one object that `comanda import --json` prints when it ends before the import does: what is known of it.
struct UnfinishedImportJSON: Encodable {
  /// Left out when there is no import yet.
  let importID: String?
  /// As the server said it last.
  let state: String?
  /// Rows that are with the server.
  let committedRow: Int64
  /// The command that goes on, for a shell; left out when there is nothing to go on with.
  let resume: String?

  enum CodingKeys: String, CodingKey {
    case importID = "import_id"
    case state
    case committedRow = "committed_row"
    case resume
  }

  init(_ meter: ProgressMeter, resume: String?) {
    importID = meter.importID
    state = meter.state?.schemaName
    committedRow = meter.committed
    self.resume = resume
  }
}

/// An import as `comanda imports … --json` prints it.
struct ImportJSON: Encodable {
  let importID: String
  let sourceName: String
  let group: String?
  let state: String
  let rows: Int64
  let committedRow: Int64
  let applied: Int64
  let unchanged: Int64
  let failed: Int64
  let unprocessed: Int64
  let createdAt: String
  let sealedAt: String?
  let endedAt: String?

  enum CodingKeys: String, CodingKey {
    case importID = "import_id"
    case sourceName = "source_name"
    case group, state, rows
    case committedRow = "committed_row"
    case applied, unchanged, failed, unprocessed
    case createdAt = "created_at"
    case sealedAt = "sealed_at"
    case endedAt = "ended_at"
  }

  init(_ value: Comanda_V1_Import) {
    importID = value.importID
    sourceName = value.spec.sourceName
    group = value.spec.group.isEmpty ? nil : value.spec.group
    state = value.progress.state.schemaName
    rows = value.progress.totalRows
    committedRow = value.progress.committedRow
    applied = value.progress.appliedRows
    unchanged = value.progress.unchangedRows
    failed = value.progress.failedRows
    unprocessed = value.progress.unprocessedRows
    createdAt = TimeText.json(value.createdAt)
    sealedAt = value.hasSealedAt ? TimeText.json(value.sealedAt) : nil
    endedAt = value.hasEndedAt ? TimeText.json(value.endedAt) : nil
  }
}

/// A page of imports.
struct ImportListJSON: Encodable {
  let imports: [ImportJSON]
  let nextPageToken: String

  enum CodingKeys: String, CodingKey {
    case imports
    case nextPageToken = "next_page_token"
  }
}
