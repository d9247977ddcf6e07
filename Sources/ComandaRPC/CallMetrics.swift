import Metrics
import NIOCore

/// Counts calls and times them, by method and status, through whatever backend swift-metrics was given.
///
/// `rpc_server_calls_total` has the labels `method` and `code`; `rpc_server_call_seconds` has `method`. Every counter
/// is made beforehand: looking one up by its labels would cost more than the call. Calls of methods that this server
/// does not have end before any interceptor, and are not counted.
public final class CallMetrics: ServerInterceptor {
  private struct Instruments {
    let calls: [Counter]
    let duration: Metrics.Timer
  }

  private let instruments: [ObjectIdentifier: Instruments]

  /// Metrics of these methods.
  public init(_ router: Router) {
    var instruments: [ObjectIdentifier: Instruments] = [:]
    for method in router.methods.values {
      let path = method.descriptor.path
      instruments[ObjectIdentifier(method.descriptor)] = Instruments(
        calls: StatusCode.all.map { code in
          Counter(label: "rpc_server_calls_total", dimensions: [("method", path), ("code", code.description)])
        },
        duration: Metrics.Timer(label: "rpc_server_call_seconds", dimensions: [("method", path)]))
    }
    self.instruments = instruments
  }

  /// Has nothing to do at a call's start.
  public func callStartsAtOnce(_ context: inout ServerContext) -> Bool { true }

  /// Counts a call.
  public func callEnded(_ context: ServerContext, _ outcome: CallOutcome) {
    guard let instruments = instruments[ObjectIdentifier(context.method)] else { return }
    instruments.calls[Int(outcome.code.rawValue)].increment()
    instruments.duration.recordNanoseconds(outcome.duration.nanoseconds)
  }
}
