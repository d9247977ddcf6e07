import ComandaWire
import NIOCore

/// Times and bounds of a server's connections.
public struct ServerSettings: Sendable {
  /// The wire's own bounds.
  public var limits = Limits()
  /// A name and version for the peers' logs.
  public var software = "comanda-server"
  /// From accepting a connection to the end of its TLS handshake: slow handshakes cost memory.
  public var handshakeTimeout = TimeAmount.seconds(10)
  /// From there to the peer's HELLO.
  public var firstFrameTimeout = TimeAmount.seconds(2)
  /// How long open calls may go on once the server drains.
  public var drainTimeout = TimeAmount.seconds(20)
  /// Bytes produced at a time for one connection: a few TLS records, so that one stream does not delay the others.
  public var writeBudget = 128 << 10
  /// Connections that may be open at once; further ones are closed as they come.
  public var connections = 20_000

  /// The defaults.
  public init() {}
}
