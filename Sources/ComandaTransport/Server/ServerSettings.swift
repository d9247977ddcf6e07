import ComandaWire
import NIOCore

/// Every time and bound of a server's connections, with its default and its reason. Those of the wire are in `Limits`,
/// those of the calls in `CallLimits`.
public struct ServerSettings: Sendable {
  /// The wire's own bounds.
  public var limits = Limits()
  /// A name and version for the peers' logs.
  public var software = "comanda-server"

  /// From accepting a connection to the end of its TLS handshake: slow handshakes cost memory.
  public var handshakeTimeout = TimeAmount.seconds(10)
  /// From there to the peer's HELLO.
  public var firstFrameTimeout = TimeAmount.seconds(2)
  /// How long a peer may be silent before it is asked for a PONG: shorter than the patience of the usual firewalls and
  /// load balancers with idle connections (60 s to 350 s).
  public var keepaliveInterval = TimeAmount.seconds(45)
  /// How long it may then stay silent; the network's worst is a few retransmissions.
  public var keepaliveTimeout = TimeAmount.seconds(20)
  /// From HELLO to the first call or credential: until then a place is held by nobody known.
  public var firstCallTimeout = TimeAmount.seconds(60)
  /// How long a connection may be without a call before it is drained: its memory is better used otherwise.
  public var idleTimeout = TimeAmount.minutes(30)
  /// How old a connection becomes before it is drained, so that load spreads over servers that were added.
  public var maximumAge = TimeAmount.hours(24)
  /// The share by which age and idle time vary from connection to connection, so that not all end at once.
  public var jitter = 0.1
  /// How long the peer may leave what waits for it unread: a call's messages without credit for them, or the
  /// connection's bytes in its socket. Readers that pause to think are fine, those that are gone are not.
  public var stallTimeout = TimeAmount.seconds(60)
  /// From a call's OPEN to the end of its request, where it has one: a request of 4 MiB comes in that time on a line of
  /// 1.1 Mbit/s. What takes longer is a stream.
  public var requestTimeout = TimeAmount.seconds(30)
  /// The same on a connection of which nobody knows whose it is: it may send some KiB only.
  public var strangerRequestTimeout = TimeAmount.seconds(5)
  /// How long open calls may go on once their connection drains.
  public var drainTimeout = TimeAmount.seconds(20)
  /// How long a close waits for its last bytes to leave and for the peer to close too, so that no reset overtakes them.
  public var closeTimeout = TimeAmount.seconds(1)
  /// How often each connection is looked at for the times above.
  public var housekeepingInterval = TimeAmount.seconds(1)
  /// How long a key encrypts session tickets. Two older ones are still accepted, so that no rotation ends a ticket
  /// before its time: that is 2 h (`TLSContext.ticketLifetime`), and tickets renew each other for 24 h at most.
  public var ticketKeyLifetime = TimeAmount.hours(12)

  /// Bytes produced at a time for one connection: a few TLS records, so that one stream does not delay the others.
  public var writeBudget = 128 << 10
  /// Tasks without work that each event loop keeps for the calls to come: as many as a busy connection has calls at
  /// once, at 1 to 2 KiB each.
  public var keptTasks = 256
  /// Bytes that requests and answers of all connections may hold together. Tenants share it (`MemoryBudget`): one alone
  /// gets half, which is 13 messages of the largest size.
  public var memoryBudget = 128 << 20
  /// Bytes that requests and answers of one connection may hold while nobody knows whose it is: a dozen checks of the
  /// server's health, and with the connections that one address may have 32 MiB.
  public var strangerBytes = 16 << 10
  /// Connections that may be open at once; further ones are closed as they come.
  public var connections = 20_000
  /// Connections from one address (of IPv6, from one network of 64 bits): a tenth of all, which a chain's gateway or a
  /// load balancer that sends no PROXY header may need, so that it takes ten hosts to keep all others out. Peers of a
  /// Unix socket do not count.
  public var connectionsPerAddress = 2_000
  /// Calls on one connection before it is drained, ahead of the end of their numbers.
  public var callsPerConnection: StreamID = (1 << 31) - (1 << 16)
  /// Connections that wait to be accepted by this process; the kernel refuses the others.
  public var backlog: Int32 = 1_024

  /// The defaults.
  public init() {}
}
