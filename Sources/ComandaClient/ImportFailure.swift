import ComandaImportFiles
import ComandaProtos
import ComandaRPC

/// Why an import did not come to its end. What the server has committed stays there.
public enum ImportFailure: Error, Sendable, CustomStringConvertible {
  /// The file is not what it was when the import began; nil for an import that was not created yet. Rows that were
  /// sent before it showed are with the server, and the import stays unfinished.
  case fileChanged(importID: String?, path: String, FileChange)
  /// The import was not made from a file of known content, so that nobody can tell whether this is the one.
  case sourceUnknown(importID: String)
  /// The import was begun with a file of other content.
  case fileDiffers(importID: String, name: String)
  /// The import was begun with other columns, another currency or another way to read numbers.
  case mappingDiffers(importID: String)
  /// The server failed again and again while it applied the rows, and has parked the import.
  case faulted(importID: String)
  /// Nothing moved for so long; with the last failure, if there was one.
  case stalled(importID: String, after: Duration, RPCError?)
  /// The server refused, and would refuse again.
  case refused(importID: String, RPCError)

  /// The import, once there is one.
  public var importID: String? {
    switch self {
    case .fileChanged(let id, _, _): id
    case .sourceUnknown(let id), .fileDiffers(let id, _), .mappingDiffers(let id), .faulted(let id),
      .stalled(let id, _, _), .refused(let id, _):
      id
    }
  }

  /// Whether the same import can go on later: when the server answers again, or when the caller may do it.
  public var isResumable: Bool {
    switch self {
    case .stalled, .faulted: true
    case .refused(_, let error):
      [.unauthenticated, .permissionDenied, .resourceExhausted, .internal, .unknown].contains(error.code)
    case .fileChanged, .sourceUnknown, .fileDiffers, .mappingDiffers: false
    }
  }

  /// What is wrong, and what would be right.
  public var description: String {
    switch self {
    case .fileChanged(_, let path, let change):
      "\(path) \(change) while it was being imported; when nothing writes to it any more, import it again: orders that "
        + "are there already count as unchanged"
    case .faulted(let id):
      "import \(id) is parked: the server failed again and again while it applied the rows; none is lost"
    case .sourceUnknown(let id):
      "import \(id) does not say which file it was begun with, so it cannot be gone on with"
    case .fileDiffers(let id, let name):
      "import \(id) was begun with another file or another version of it (\(name)); give that one, or begin anew"
    case .mappingDiffers(let id):
      "import \(id) was begun with other columns, another currency or another number format; repeat the options that "
        + "it was begun with, or begin anew"
    case .stalled(let id, let patience, let error):
      "import \(id) has not moved for \(patience.components.seconds) s"
        + (error.map { "; the last failure was \($0)" } ?? "")
    case .refused(_, let error):
      error.description
    }
  }
}
