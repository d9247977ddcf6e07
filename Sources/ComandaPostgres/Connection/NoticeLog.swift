import CLibPQ
import Logging

/// Where a connection's notices go: to the log, at debug, as code and severity; their words may quote data.
///
/// To libpq, what the server says while it owes no answer is a notice too: its last words among them.
final class NoticeLog {
  private let logger: Logger
  /// The server's reason for closing the connection, where it gave one outside of any statement.
  private(set) var lastWords: PostgresError?

  init(_ logger: Logger) {
    self.logger = logger
  }

  /// The log must live as long as the connection.
  func attach(to connection: OpaquePointer) {
    let receiver: PQnoticeReceiver = { context, result in
      guard let context, let result else { return }
      Unmanaged<NoticeLog>.fromOpaque(context).takeUnretainedValue().note(result)
    }
    PQsetNoticeReceiver(connection, receiver, Unmanaged.passUnretained(self).toOpaque())
  }

  private func note(_ result: OpaquePointer) {
    func field(_ code: Int32) -> String {
      PQresultErrorField(result, code).map { String(cString: $0) } ?? ""
    }
    let severity = field(PostgresDiagnostic.severity)
    let code = field(PostgresDiagnostic.sqlState)
    logger.debug("database notice", metadata: ["severity": "\(severity)", "sqlstate": "\(code)"])
    if severity == "FATAL" || severity == "PANIC" {
      lastWords = PostgresError(
        .connectionLostNotStarted, "the database closed the connection", sqlState: SQLState(code))
    }
  }
}
