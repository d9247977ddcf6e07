import CLibPQ

/// Owns one `PGresult`.
///
/// Sendable: libpq never changes a result after `PQgetResult` returned it, and documents reading one from several
/// threads as safe; only the last owner frees it.
final class ResultHandle: @unchecked Sendable {
  let raw: OpaquePointer

  init(_ raw: OpaquePointer) {
    self.raw = raw
  }

  deinit {
    PQclear(raw)
  }

  var status: ExecStatusType { PQresultStatus(raw) }

  /// The number of rows that a command touched, or zero where its tag has none.
  var affectedRows: Int {
    guard let text = PQcmdTuples(raw) else { return 0 }
    return Int(String(cString: text)) ?? 0
  }

  /// The command tag, such as `COMMIT`.
  var commandTag: String {
    PQcmdStatus(raw).map { String(cString: $0) } ?? ""
  }

  func field(_ code: Int32) -> String? {
    PQresultErrorField(raw, code).map { String(cString: $0) }
  }

  /// The error that this result is.
  func error() -> PostgresError {
    let state = field(PostgresDiagnostic.sqlState).map(SQLState.init)
    var error = PostgresError(.server, "the database refused", sqlState: state)
    error.severity = field(PostgresDiagnostic.severity)
    error.position = field(PostgresDiagnostic.position).flatMap(Int.init)
    error.detailForLog = PQresultErrorMessage(raw).map { String(cString: $0).trimmingTrailingNewlines() }
    return error
  }
}

/// The `PG_DIAG_…` field codes: characters, which Swift does not import as such.
enum PostgresDiagnostic {
  static let severity = Int32(UInt8(ascii: "V"))
  static let sqlState = Int32(UInt8(ascii: "C"))
  static let position = Int32(UInt8(ascii: "P"))
}

extension String {
  func trimmingTrailingNewlines() -> String {
    var text = Substring(self)
    while text.last?.isNewline == true { text.removeLast() }
    return String(text)
  }
}
