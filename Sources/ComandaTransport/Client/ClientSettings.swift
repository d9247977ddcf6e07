import ComandaWire
import NIOCore

/// Times and bounds of a client and its connections.
public struct ClientSettings: Sendable {
  /// The wire's own bounds.
  public var limits = Limits()
  /// A name and version for the server's logs.
  public var software = "comanda-swift"
  /// From the start of a connection to the server's HELLO.
  public var connectTimeout = TimeAmount.seconds(10)
  /// Connections to each address. One carries more calls than a client of one thread makes.
  public var connectionsPerAddress = 1
  /// Addresses that are used; further ones, as of a name that resolves to hundreds, are not.
  public var addresses = 64
  /// Event loops that connections are spread over. One serves some 200,000 unary calls a second; each has a TLS context
  /// of its own.
  public var loops = 1
  /// Pauses between attempts to connect to an address.
  public var backoff = BackoffPolicy()
  /// Which calls are made again when they fail, and how often.
  public var retries = RetryPolicy()
  /// Calls that may wait for a connection; as many again may wait on each connection for stream credit. Further ones
  /// fail at once: a queue of this length is minutes of work.
  public var waitingCalls = 10_000
  /// A connection that had no call for so long, or for half of it, is closed, and made anew by the next call. Load
  /// balancers and firewalls forget connections after 4 minutes (Azure) to 350 seconds (AWS), mostly without a word.
  public var idleTimeout = TimeAmount.minutes(4)
  /// With open calls, a server that was silent for so long is asked for a sign of life: a server that is frozen, or gone
  /// without closing (its machine or its network is), otherwise shows only when the kernel gives up, after 15 minutes.
  /// Together with ``keepaliveTimeout`` shorter than the 10 s that most calls may take, so that another server can still
  /// answer them.
  public var keepaliveInterval = TimeAmount.seconds(4)
  /// The same without open calls; nil to leave such connections alone. They live for ``idleTimeout`` only, and a call
  /// that meets a dead one has its own keepalive; asking then wakes radios and servers for nothing.
  public var keepaliveWithoutCalls: TimeAmount?
  /// How long the sign of life may take. Longer than most routing hiccups and any pause of a server that is well; any byte
  /// that comes is one, so that a slow line is not taken for a dead one.
  public var keepaliveTimeout = TimeAmount.seconds(4)
  /// Calls after which a connection is replaced: the protocol numbers them with 31 bits, and stops at the last one.
  public var callsPerConnection: UInt32 = 2_000_000_000
  /// Bytes produced at a time.
  public var writeBudget = 128 << 10

  /// The defaults.
  public init() {}
}
