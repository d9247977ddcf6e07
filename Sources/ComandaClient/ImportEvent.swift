import ComandaProtos
import ComandaRPC

/// What happens in the course of an import, for whoever shows it.
public enum ImportEvent: Sendable {
  /// The server knows the import, and the upload begins.
  case started(ImportStart)
  /// The file was read to its end: so many rows it has.
  case counted(rows: Int64)
  /// All rows are with the server, which applies what is left.
  case uploaded
  /// A newer state of the import.
  case progress(Comanda_V1_ImportProgress)
  /// Something failed, perhaps before the import began; it goes on by itself.
  case interrupted(RPCError)
  /// The upload goes on after this row.
  case resumed(committedRow: Int64)
}

/// What is known when an upload begins.
public struct ImportStart: Sendable {
  /// The import.
  public let importID: String
  /// How far it is already; nothing yet for a new one.
  public let progress: Comanda_V1_ImportProgress
  /// Columns of the file that are not imported.
  public let unusedColumns: [String]

  /// A start of these parts.
  public init(importID: String, progress: Comanda_V1_ImportProgress, unusedColumns: [String] = []) {
    self.importID = importID
    self.progress = progress
    self.unusedColumns = unusedColumns
  }
}

/// An import in its final state.
public struct FinishedImport: Sendable {
  /// The import.
  public let importID: String
  /// The last snapshot.
  public let progress: Comanda_V1_ImportProgress

  /// An import that ended like this.
  public init(importID: String, progress: Comanda_V1_ImportProgress) {
    self.importID = importID
    self.progress = progress
  }
}

extension Comanda_V1_ImportState {
  /// Whether an import in this state changes no more by itself.
  public var isFinal: Bool {
    switch self {
    case .completed, .canceled, .stopped, .reverted: true
    default: false
    }
  }
}

extension Comanda_V1_ImportState {
  /// IMPORT_STATE_FAULTED: parked after repeated faults of the server, until ResumeImport sets it going.
  private static let faultedNumber = 9

  /// Whether the server has parked an import in this state, which stands still until somebody resumes it.
  public var isFaulted: Bool {
    rawValue == Self.faultedNumber
  }
}

extension Comanda_V1_Import {
  /// Whether rows can still be uploaded.
  var takesRows: Bool {
    !hasSealedAt && (progress.state == .receiving || progress.state == .paused)
  }
}
