import ComandaRPC
import ComandaWire
import NIOCore

/// The times and bounds that a server is run with.
public struct ServerBounds: Sendable {
  /// Those of connections and of the wire.
  public var settings = ServerSettings()
  /// Those of calls.
  public var calls = CallLimits()

  /// The defaults.
  public init() {}
}

/// A time or bound that an operator can set by name, as `keepalive-interval=30s`.
public struct NamedBound: Sendable {
  /// What it is called.
  public let name: String
  /// What it bounds, and why by so much.
  public let meaning: String
  /// How its value is written: `30s`, `20000`, `4MiB`.
  public let form: Form
  /// The values that can be kept, in milliseconds, bytes, percent or as a count.
  public let range: ClosedRange<Int>
  /// Why no less, where that is not plain.
  private let leastReason: String
  private let get: @Sendable (ServerBounds) -> Int
  private let set: @Sendable (inout ServerBounds, Int) -> Void

  /// The forms of values.
  public enum Form: String, Sendable {
    /// Milliseconds, as `250ms`, `30s`, `10min` or `24h`.
    case time
    /// A whole number from 1 on.
    case count
    /// Bytes, as `512`, `64KiB` or `4MiB`.
    case bytes
    /// Hundredths, as `10%`.
    case percent
  }

  /// A value that cannot be used.
  public struct Invalid: Error, CustomStringConvertible {
    /// What was wrong, and what would be right.
    public let description: String
  }

  /// More than any machine has, and little enough that no sum of such numbers overflows.
  private static let mostCount = 1_000_000_000
  private static let mostBytes = 1 << 40
  /// A message is one buffer, whose indices have 32 bits.
  private static let mostMessageBytes = 1 << 30
  /// Numbers of calls have 31 bits.
  private static let mostCalls = Int(Int32.max)

  private static func time(
    _ name: String, _ path: any WritableKeyPath<ServerBounds, TimeAmount> & Sendable, from least: Int = 1,
    _ meaning: String
  ) -> NamedBound {
    NamedBound(
      name: name, meaning: meaning, form: .time, range: least...Int.max, leastReason: "",
      get: { Int($0[keyPath: path].nanoseconds / 1_000_000) },
      set: { $0[keyPath: path] = .milliseconds(Int64($1)) })
  }

  private static func number<Value: FixedWidthInteger & SendableMetatype>(
    _ name: String, _ form: Form, _ path: any WritableKeyPath<ServerBounds, Value> & Sendable, from least: Value = 1,
    to most: Int? = nil, because leastReason: String = "", _ meaning: String
  ) -> NamedBound {
    NamedBound(
      name: name, meaning: meaning, form: form,
      range: Int(clamping: least)...(most ?? (form == .bytes ? mostBytes : mostCount)), leastReason: leastReason,
      get: { Int(clamping: $0[keyPath: path]) },
      set: { $0[keyPath: path] = Value(clamping: $1) })
  }

  /// A limit of HELLO, which cannot take back what clients count on before they know it.
  private static func helloLimit<Value: FixedWidthInteger & SendableMetatype>(
    _ name: String, _ form: Form, _ path: any WritableKeyPath<ServerBounds, Value> & Sendable, from least: Value,
    to most: Int? = nil, _ meaning: String
  ) -> NamedBound {
    number(name, form, path, from: least, to: most, because: "clients count on so much", meaning)
  }

  private static let jitter = NamedBound(
    name: "jitter", meaning: "by how much idle-timeout and maximum-age vary between connections", form: .percent,
    range: 0...50, leastReason: "", get: { Int(($0.settings.jitter * 100).rounded()) },
    set: { $0.settings.jitter = Double($1) / 100 })

  /// All of them.
  public static let all: [NamedBound] = [
    time(
      "handshake-timeout", \.settings.handshakeTimeout, "from accepting a connection to the end of its TLS handshake"),
    time("first-frame-timeout", \.settings.firstFrameTimeout, "from there to the peer's HELLO"),
    time("keepalive-interval", \.settings.keepaliveInterval, "how long a peer may be silent before it is pinged"),
    time("keepalive-timeout", \.settings.keepaliveTimeout, "how long it may then stay silent"),
    time("first-call-timeout", \.settings.firstCallTimeout, "from HELLO to the first call or credential"),
    time("idle-timeout", \.settings.idleTimeout, "how long a connection may be without a call"),
    time("maximum-age", \.settings.maximumAge, "how old a connection becomes"),
    jitter,
    time("stall-timeout", \.settings.stallTimeout, "how long a peer may leave what waits for it unread"),
    time("request-timeout", \.settings.requestTimeout, "from a call's opening to the end of its request"),
    time(
      "stranger-request-timeout", \.settings.strangerRequestTimeout,
      "the same on a connection without a known credential"),
    time("drain-timeout", \.settings.drainTimeout, "how long calls may go on once their connection drains"),
    time("close-timeout", \.settings.closeTimeout, "how long a close waits for its last bytes to leave"),
    time(
      "housekeeping-interval", \.settings.housekeepingInterval, from: 10,
      "how often connections are looked at for these times"),
    time("ticket-key-lifetime", \.settings.ticketKeyLifetime, "how long a key encrypts session tickets"),
    number("connections", .count, \.settings.connections, "connections at once"),
    number(
      "connections-per-address", .count, \.settings.connectionsPerAddress,
      "connections at once from one IPv4 address or IPv6 /64"),
    number(
      "backlog", .count, \.settings.backlog, to: 65_535, "connections that the kernel lets wait to be accepted"),
    number(
      "calls-per-connection", .count, \.settings.callsPerConnection, to: mostCalls,
      "calls before a connection is replaced"),
    number("running-calls", .count, \.calls.runningCalls, "calls at once; more are refused with RESOURCE_EXHAUSTED"),
    number(
      "calls-per-business", .count, \.calls.callsPerAccount,
      "unary calls of a business at once, and of all unknown callers; more are refused with RESOURCE_EXHAUSTED"),
    number(
      "streams-per-business", .count, \.calls.streamsPerAccount, "the same of uploads, watches and other streams"),
    number(
      "memory-budget", .bytes, \.settings.memoryBudget, from: 16 << 20, because: "less is four messages",
      "requests and answers of all connections; a business gets half of it at most"),
    number(
      "stranger-bytes", .bytes, \.settings.strangerBytes, from: ConnectionMemory.step,
      because: "memory is counted in such steps",
      "requests and answers of a connection without a known credential"),
    helloLimit(
      "concurrent-streams", .count, \.settings.limits.concurrentStreams, from: Limits.beforeHello.streams,
      to: mostCalls, "calls at once on a connection"),
    helloLimit(
      "message-size", .bytes, \.settings.limits.messageSize, from: Limits.beforeHello.messageSize,
      to: mostMessageBytes, "one message"),
    helloLimit(
      "connection-window", .bytes, \.settings.limits.connectionWindow, from: Limits.beforeHello.connectionWindow,
      "under way on a connection"),
    helloLimit(
      "stream-window", .bytes, \.settings.limits.streamWindow, from: Limits.beforeHello.streamWindow,
      "under way or unread on a call at first"),
    number(
      "maximum-connection-window", .bytes, \.settings.limits.maximumConnectionWindow,
      "how far a connection's window may grow, if it is above connection-window"),
    number(
      "maximum-stream-window", .bytes, \.settings.limits.maximumStreamWindow,
      "how far a call's window may grow, if it is above stream-window"),
    number(
      "assembly-bytes", .bytes, \.settings.limits.assemblyBytes,
      "messages that are partly there or not read, beyond the windows of their calls, a connection"),
    number(
      "outbound-stream-bytes", .bytes, \.settings.limits.outboundHighWater,
      "what may wait to be sent on a call before its handler has to"),
    number(
      "outbound-connection-bytes", .bytes, \.settings.limits.connectionOutboundHighWater,
      "the same for all calls of a connection"),
    number(
      "write-budget", .bytes, \.settings.writeBudget, from: 16 << 10, because: "a frame has so many",
      "what is written for a connection at a time"),
    number("kept-tasks", .count, \.settings.keptTasks, "tasks that an event loop keeps for calls to come"),
    number("abuse-points", .count, \.settings.limits.abusePoints, "resets, pings and empty frames at once"),
    number("abuse-points-per-second", .count, \.settings.limits.abusePointsPerSecond, "and a second"),
  ]

  /// The value that bounds have, as it is written.
  public func text(in bounds: ServerBounds) -> String {
    form.text(of: get(bounds))
  }

  fileprivate func apply(_ text: String, to bounds: inout ServerBounds) throws(Invalid) {
    guard let value = form.value(of: text), value > 0 || range.contains(0) else {
      throw Invalid(description: "\"\(text)\" is no value of \(name); right would be \(self.text(in: ServerBounds()))")
    }
    guard value >= range.lowerBound else {
      let reason = leastReason.isEmpty ? "" : ": " + leastReason
      throw Invalid(description: "\(name) is at least \(form.text(of: range.lowerBound)), not \(text)\(reason)")
    }
    guard value <= range.upperBound else {
      throw Invalid(description: "\(name) is at most \(form.text(of: range.upperBound)), not \(text)")
    }
    set(&bounds, value)
  }
}

extension NamedBound.Form {
  /// A value as it is written.
  func text(of value: Int) -> String {
    let units: [(String, Int)] =
      switch self {
      case .count: []
      case .time: [("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)]
      case .bytes: [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
      case .percent: [("%", 1)]
      }
    if value == 0, let smallest = units.last { return "0\(smallest.0)" }
    let unit = units.first { value >= $0.1 && value.isMultiple(of: $0.1) }
    return unit.map { "\(value / $0.1)\($0.0)" } ?? "\(value)"
  }

  /// Milliseconds, bytes or a count; nil when the text is not of the form, or too large.
  func value(of text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    let factors: [Substring: Int] =
      switch self {
      case .time: ["ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000]
      case .count: ["": 1]
      case .percent: ["%": 1]
      case .bytes: ["": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
      }
    guard digits.count <= 10, let number = Int(digits), let factor = factors[unit] else { return nil }
    return number.multipliedReportingOverflow(by: factor).overflow ? nil : number * factor
  }
}

extension ServerBounds {
  /// Sets a bound by name: one of `NamedBound.all`, or of a method, as `running-calls:comanda.v1.OrderService/GetOrder`
  /// and `request-bytes:…`.
  /// - Throws: `NamedBound.Invalid` that says what would be right.
  public mutating func set(_ name: String, to value: String) throws(NamedBound.Invalid) {
    let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2 { return try set(parts[0], of: parts[1], to: value) }
    guard let bound = NamedBound.all.first(where: { $0.name == name }) else {
      throw NamedBound.Invalid(
        description: "there is no limit \"\(name)\"; there are \(NamedBound.all.map(\.name).joined(separator: ", "))")
    }
    try bound.apply(value, to: &self)
  }

  private mutating func set(_ name: String, of method: String, to text: String) throws(NamedBound.Invalid) {
    let form: NamedBound.Form = name == "request-bytes" ? .bytes : .count
    guard let value = form.value(of: text), value > 0 else {
      throw NamedBound.Invalid(description: "\"\(text)\" is no value of \(name); right would be a number from 1 on")
    }
    switch name {
    case "running-calls": calls.methods[method, default: CallLimits.Method()].runningCalls = value
    case "request-bytes": calls.methods[method, default: CallLimits.Method()].requestBytes = value
    default:
      throw NamedBound.Invalid(description: "a method has the limits running-calls and request-bytes, not \"\(name)\"")
    }
  }
}
