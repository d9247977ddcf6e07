import ComandaProtos
import ComandaRPC
import SwiftProtobuf

extension RPCError {
  /// What the server says beyond code and message; nil when it says nothing, as when no server was reached.
  public var errorDetails: Comanda_V1_ErrorDetails? {
    if details.isEmpty { return nil }
    return try? Comanda_V1_ErrorDetails(serializedBytes: details)
  }

  /// The reason for programs, such as `ORDER_NOT_FOUND`; empty when the server gives none.
  public var reason: String {
    errorDetails?.reason ?? ""
  }
}

extension RPCError {
  /// What a server says about when to make a call again.
  enum PushBack: Equatable {
    case after(Duration)
    case never
  }

  /// The trailer `retry-after-ms` or, failing that, the delay of the details; nil when the server says nothing of it.
  var pushBack: PushBack? {
    if let text = trailers[Metadata.retryAfter] {
      guard let milliseconds = Int64(text), milliseconds >= 0 else { return .never }
      return .after(.milliseconds(milliseconds))
    }
    guard let details = errorDetails, details.hasRetryDelay else { return nil }
    return .after(max(.zero, Duration(details.retryDelay)))
  }

  /// Whether the server is there and has no room at the moment, but expects to have it later.
  public var isBusy: Bool {
    guard code == .resourceExhausted, case .after = pushBack else { return false }
    return true
  }
}

extension Duration {
  init(_ duration: Google_Protobuf_Duration) {
    self = .seconds(duration.seconds) + .nanoseconds(duration.nanos)
  }
}
