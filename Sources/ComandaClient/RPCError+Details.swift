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

extension Duration {
  init(_ duration: Google_Protobuf_Duration) {
    self = .seconds(duration.seconds) + .nanoseconds(duration.nanos)
  }
}
