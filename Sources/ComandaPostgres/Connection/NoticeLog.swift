import CLibPQ
import Logging

/// Where a connection's notices go: to the log, at debug, as code and severity; their words may quote data.
final class NoticeLog {
  private let logger: Logger

  init(_ logger: Logger) {
    self.logger = logger
  }

  /// The log must live as long as the connection.
  func attach(to connection: OpaquePointer) {
    let receiver: PQnoticeReceiver = { context, result in
      guard let context, let result else { return }
      Unmanaged<NoticeLog>.fromOpaque(context).takeUnretainedValue().log(result)
    }
    PQsetNoticeReceiver(connection, receiver, Unmanaged.passUnretained(self).toOpaque())
  }

  private func log(_ result: OpaquePointer) {
    func field(_ code: Int32) -> String {
      PQresultErrorField(result, code).map { String(cString: $0) } ?? ""
    }
    logger.debug(
      "database notice",
      metadata: [
        "severity": "\(field(PostgresDiagnostic.severity))", "sqlstate": "\(field(PostgresDiagnostic.sqlState))",
      ])
  }
}
