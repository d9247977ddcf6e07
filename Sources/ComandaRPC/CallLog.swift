import Logging
import NIOCore

/// Writes calls into the log: those that took long or met a defect always, all others at the level `debug`.
///
/// Neither requests nor responses are logged, and of the metadata only `request-id`.
public struct CallLog: ServerInterceptor {
  private let logger: Logger
  private let slow: TimeAmount

  /// A log.
  /// - Parameter slow: unary calls that take longer are logged at the level `notice`.
  public init(_ logger: Logger, slow: TimeAmount = .seconds(5)) {
    self.logger = logger
    self.slow = slow
  }

  /// Has nothing to do at a call's start.
  public func callStartsAtOnce(_ context: inout ServerContext) -> Bool { true }

  /// Logs a call.
  public func callEnded(_ context: ServerContext, _ outcome: CallOutcome) {
    let level = level(of: context, outcome)
    guard level >= logger.logLevel else { return }
    var metadata: Logger.Metadata = [
      "method": "\(context.method.path)", "code": "\(outcome.code)",
      "peer": "\(LogText(context.connection.remoteAddress))",
      "ms": "\(outcome.duration.nanoseconds / 1_000_000)",
    ]
    if let id = context.metadata("request-id") { metadata["request-id"] = "\(LogText(id))" }
    logger.log(level: level, "a call has ended", metadata: metadata)
  }

  private func level(of context: ServerContext, _ outcome: CallOutcome) -> Logger.Level {
    switch outcome.code {
    case .internal, .unknown, .dataLoss: .warning
    default: context.method.kind == .unary && outcome.duration > slow ? .notice : .debug
    }
  }
}
