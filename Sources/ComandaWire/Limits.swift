/// Every bound of one side of a connection, with its default and its reason.
///
/// The first four travel in HELLO, which can only raise them: values below `beforeHello` count as those of it.
///
/// What a peer can make this side keep of messages that nobody reads, or that never end, is the sum of
/// - `streamWindow` for each of `concurrentStreams` calls (64 MiB): its own, whatever the others do,
/// - `connectionWindow` as far as it has grown (16 MiB): what calls get beyond that, shared,
/// - `assemblyBytes` (64 MiB): what large messages need beyond that.
public struct Limits: Sendable, Equatable {
  /// Bytes of DATA frames that the peer may have under way on the connection. Calls get as much together beyond their
  /// first windows.
  public var connectionWindow: UInt64 = 4 << 20
  /// The same for one stream, to begin with. Every call has so much of its own, read or not, so it is small; a stream
  /// that fills it gets more.
  public var streamWindow: UInt64 = 256 << 10
  /// Calls that a peer may have open at once: a bound on tasks and tables.
  public var concurrentStreams: StreamID = 256
  /// The largest message; larger transfers are streams.
  public var messageSize: UInt64 = 4 << 20
  /// Bytes that messages may have beyond the first windows of their streams, over all streams of a connection: those
  /// that are only partly there, and those that wait for their reader. A segment beyond it ends its call.
  public var assemblyBytes: UInt64 = 64 << 20
  /// Bytes that may wait to be sent on a stream before its writer is suspended.
  public var outboundHighWater: Int = 256 << 10
  /// The same for all streams together: what a peer that gives no credit to any of them can cost, besides one message
  /// a stream.
  public var connectionOutboundHighWater: Int = 4 << 20
  /// PONGs that may wait to be sent; a peer that pings faster than it reads is cut.
  public var pendingPongs: Int = 32
  /// How far the connection's window may grow when the path carries more than the window lets through: 1 Gbit/s over
  /// 130 ms.
  public var maximumConnectionWindow: UInt64 = 16 << 20
  /// The same for one stream.
  public var maximumStreamWindow: UInt64 = 8 << 20
  /// Points of the abuse budget: the burst of resets, pings and frames without content that a peer may send. More than
  /// all calls of a connection, given up at once, many times over.
  public var abusePoints: Int = 10_000
  /// Points that come back a second: what they buy costs the receiver under 1 % of a core.
  public var abusePointsPerSecond: Int = 1_000

  /// The defaults.
  public init() {}

  /// What holds for a peer until its HELLO is there. A HELLO may raise these numbers, not lower them.
  public static let beforeHello = Hello(
    connectionWindow: 1 << 20, streamWindow: 256 << 10, streams: 100, messageSize: 4 << 20, software: "")

  /// More than any window needs, and little enough for sums of windows.
  static let largestWindow: UInt64 = 1 << 48

  /// None below what a peer may count on before it knows them, nor beyond what the wire can say.
  func withinProtocol() -> Limits {
    let least = Limits.beforeHello
    var limits = self
    limits.connectionWindow = min(max(connectionWindow, least.connectionWindow), Self.largestWindow)
    limits.streamWindow = min(max(streamWindow, least.streamWindow), Self.largestWindow)
    limits.maximumConnectionWindow = min(maximumConnectionWindow, Self.largestWindow)
    limits.maximumStreamWindow = min(maximumStreamWindow, Self.largestWindow)
    limits.concurrentStreams = min(max(concurrentStreams, least.streams), FrameLayout.highestStream)
    limits.messageSize = max(messageSize, least.messageSize)
    return limits
  }

  /// Metadata of a call: bytes of all fields as they are encoded.
  public static let metadataBytes = 8_192
  /// Metadata of a call: fields.
  public static let metadataFields = 64
  /// Bytes of a method's full name.
  public static let methodBytes = 255
  /// Bytes of a status' message; longer ones are cut.
  public static let statusMessageBytes = 2_048
  /// Bytes of a status' details; longer ones are left out.
  public static let statusDetailsBytes = 4_096
  /// Bytes of a bearer token.
  public static let credentialBytes = 4_096
  /// Bytes of a side's software name.
  public static let softwareBytes = 255
}
