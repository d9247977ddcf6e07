import ComandaWire
import NIOCore

/// Times and bounds of a client's connections.
public struct ClientSettings: Sendable {
  /// The wire's own bounds.
  public var limits = Limits()
  /// A name and version for the server's logs.
  public var software = "comanda-swift"
  /// From the start of a connection to the server's HELLO.
  public var connectTimeout = TimeAmount.seconds(10)
  /// Calls that may wait for stream credit on a connection; further ones fail at once.
  public var waitingCalls = 10_000
  /// Bytes produced at a time.
  public var writeBudget = 128 << 10

  /// The defaults.
  public init() {}
}
